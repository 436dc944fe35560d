// npm runs it before it packs a source folder: what would come out is TypeScript that no Node runs below node_modules.

console.error(
  'drydock: this folder holds sources, and Node runs none below node_modules; "npm run pack" at the root makes build/pack/*.tgz',
);
process.exit(1);
