// What the host knows of a framework's or a dext's classes: methods, parameters as WebAssembly has them, layouts.

export type WasmType = "i32" | "i64" | "f32" | "f64";

export interface AbiType {
  /** As written, without a default. */
  readonly c: string;
  /** null: void. */
  readonly wasm: WasmType | null;
  readonly kind:
    | "void"
    | "bool"
    | "integer"
    | "float"
    | "enum"
    | "pointer"
    | "object"
    | "block"
    | "function"
    | "struct"
    | "string";
  /** Of an integer, enum or bool; of a pointer to one: what it points at. */
  readonly bits?: number;
  readonly signed?: boolean;
  /** Object: its class. Pointer: structure, class (of `X **`) or integer type. Struct: its name. String: the typedef of a fixed array. */
  readonly of?: string;
  /** `X **`, `integer *`, `struct *` that is not const. */
  readonly isOut?: boolean;
}

export interface AbiParameter {
  readonly name: string;
  readonly type: AbiType;
}

export interface AbiMethod {
  readonly name: string;
  /** `name`, or `name.2` and so on for further overloads: with the class in front it is the name of the import. */
  readonly symbol: string;
  readonly kind: "dispatched" | "local" | "callback";
  readonly isStatic: boolean;
  readonly isVirtual: boolean;
  /** False: its body is C++ of the runtime's, or of the dext's. */
  readonly hasImport: boolean;
  /** FNV-1a 64 of "Class::name"; null: it has none. */
  readonly id: bigint | null;
  readonly queueName: string | null;
  /** "Class.symbol" of the callback that TYPE names. */
  readonly callback: string | null;
  readonly parameters: readonly AbiParameter[];
  readonly result: AbiType;
  /** Who owns an object that is handed out. */
  readonly returns?: "+0" | "+1";
  readonly source: string;
  readonly mark: "established" | "likely" | "unverified";
}

export interface AbiClass {
  readonly name: string;
  readonly framework: string;
  readonly superName: string | null;
  readonly methods: readonly AbiMethod[];
}

export interface AbiField {
  readonly name: string;
  readonly offset: number;
  readonly bits: number;
  /** More than 1: an array. */
  readonly count: number;
  /** A structure inside. */
  readonly of?: string;
}

/** Layout on wasm32. */
export interface AbiStruct {
  readonly name: string;
  readonly sizeBytes: number;
  readonly alignBytes: number;
  readonly fields: readonly AbiField[];
}

export interface AbiTable {
  readonly classes: ReadonlyMap<string, AbiClass>;
  readonly structs: ReadonlyMap<string, AbiStruct>;
  readonly constants: ReadonlyMap<string, bigint>;
}
