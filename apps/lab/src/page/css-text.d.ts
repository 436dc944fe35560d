// A style sheet that a script of the page is bundled with is its text.

declare module "*.css" {
  const text: string;
  export default text;
}
