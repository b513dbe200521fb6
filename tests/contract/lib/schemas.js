// Schemas of a published description, as JSON Schema: what is wrong with a value, and which fields are invented.
//
// OpenAPI 3.0 is not JSON Schema (`nullable`), and validation alone lets unknown fields pass, since almost no schema
// of GitHub's says `additionalProperties: false`. Drift shows in both, so both are asked here.

import Ajv from 'ajv'
import addFormats from 'ajv-formats'

const DESCRIPTION = 'description'

/** Schemas of one document, addressed by JSON pointers into it (`/components/schemas/issue`). */
export class Schemas {
  #root
  #ajv = new Ajv({ strict: false, allErrors: true, logger: false })
  #compiled = new Map()
  #nodes = new Map()

  /** `partial` forgets what is required, for samples that show a part of a payload. */
  constructor(document, { partial = false } = {}) {
    addFormats(this.#ajv)
    this.#root = rewritten(document, partial)
    this.#ajv.addSchema({ ...this.#root, $id: DESCRIPTION })
  }

  /** The node at a pointer, or undefined. */
  at(pointer) {
    if (!this.#nodes.has(pointer)) {
      this.#nodes.set(pointer, segments(pointer).reduce((node, key) => node?.[key], this.#root))
    }
    return this.#nodes.get(pointer)
  }

  /** The pointer behind `$ref`, if there is one. */
  resolved(pointer) {
    for (let hops = 0; hops < 20; hops++) {
      const ref = this.at(pointer)?.$ref
      if (typeof ref !== 'string') return pointer
      pointer = ref.slice(1)
    }
    throw new Error(`${pointer} refers to itself`)
  }

  /** What is wrong with a value: `{pointer, what}`, invented fields included. */
  faults(pointer, value) {
    const validate = this.#validator(pointer)
    const wrong = validate(value) ? [] : told(validate.errors)
    return [...wrong, ...this.#invented([pointer], value, '')]
  }

  fits(pointer, value) {
    return this.#validator(pointer)(value)
  }

  #validator(pointer) {
    let validate = this.#compiled.get(pointer)
    if (!validate) {
      const encoded = pointer.split('/').map((part) => encodeURIComponent(part)).join('/')
      validate = this.#ajv.compile({ $ref: `${DESCRIPTION}#${encoded}` })
      this.#compiled.set(pointer, validate)
    }
    return validate
  }

  /** Fields that none of the schemas at `pointers` knows, which all describe `value`. */
  #invented(pointers, value, path) {
    const parts = pointers.flatMap((pointer) => this.#parts(pointer, value))
    if (Array.isArray(value)) {
      const items = parts.filter((part) => this.at(part).items).map((part) => `${part}/items`)
      return items.length ? value.flatMap((item, index) => this.#invented(items, item, `${path}/${index}`)) : []
    }
    if (value === null || typeof value !== 'object') return []
    const declaring = parts.filter((part) => this.at(part).properties || this.at(part).additionalProperties)
    // An object of which nothing is said is somebody else's: a payload, a settings blob.
    if (declaring.length === 0) return []
    return Object.entries(value).flatMap(([key, inner]) => {
      const known = this.#declared(declaring, key)
      const here = `${path}/${escaped(key)}`
      if (known === null) return [{ pointer: here, what: 'a field that is not documented' }]
      return this.#invented(known, inner, here)
    })
  }

  /** The schemas of a field; null where none of `parts` knows it. */
  #declared(parts, key) {
    let known = false
    const found = []
    for (const part of parts) {
      const { properties, additionalProperties } = this.at(part)
      if (properties && Object.hasOwn(properties, key)) {
        known = true
        found.push(`${part}/properties/${escaped(key)}`)
      } else if (additionalProperties) {
        known = true
        if (additionalProperties !== true) found.push(`${part}/additionalProperties`)
      }
    }
    return known ? found : null
  }

  /** The schema and what it is composed of: of alternatives, those that the value fits. */
  #parts(pointer, value) {
    pointer = this.resolved(pointer)
    const schema = this.at(pointer)
    const branches = (key) => (schema[key] ?? []).map((_, index) => `${pointer}/${key}/${index}`)
    const alternatives = [...branches('anyOf'), ...branches('oneOf')]
    const fitting = alternatives.filter((branch) => this.fits(branch, value))
    const chosen = [...branches('allOf'), ...(fitting.length ? fitting : alternatives)]
    return [pointer, ...chosen.flatMap((branch) => this.#parts(branch, value))]
  }
}

/** A key as a part of a JSON pointer. */
export function escaped(key) {
  return key.replace(/~/g, '~0').replace(/\//g, '~1')
}

function segments(pointer) {
  return pointer.split('/').slice(1).map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'))
}

/** Ajv's errors in our words; of alternatives that all fail, the fact and not every reason. */
function told(errors) {
  const choice = (error) => error.keyword === 'anyOf' || error.keyword === 'oneOf'
  const choices = errors.filter(choice).map((error) => error.instancePath)
  const plain = errors.filter((error) => !choice(error))
  const shown = plain.length > 6 && choices.length ? errors.filter(choice) : errors
  return shown.map((error) => ({ pointer: error.instancePath, what: said(error) }))
}

function said({ keyword, message, params }) {
  const detail = { required: '', type: '', enum: params.allowedValues?.join(', '), additionalProperties: params.additionalProperty }[keyword]
  return detail ? `${message}: ${detail}` : message
}

/** OpenAPI 3.0 as JSON Schema; pointers into the document stay what they are. */
function rewritten(node, partial) {
  if (Array.isArray(node)) return node.map((item) => rewritten(item, partial))
  if (node === null || typeof node !== 'object') return node
  const made = {}
  for (const [key, value] of Object.entries(node)) {
    // Examples are no schemas, whatever they look like.
    const sample = (key === 'example' || key === 'examples') && value?.type === undefined && value?.$ref === undefined
    if (!sample) made[key] = rewritten(value, partial)
  }
  if (partial) {
    if (Array.isArray(made.required)) delete made.required
    if (Array.isArray(made.oneOf)) {
      made.anyOf = made.oneOf
      delete made.oneOf
    }
  }
  return made.nullable === true ? orNull(made) : made
}

function orNull({ nullable: _, ...schema }) {
  const nothing = { type: 'null' }
  if (schema.enum && !schema.enum.includes(null)) schema.enum = [...schema.enum, null]
  if (typeof schema.type === 'string') schema.type = [schema.type, 'null']
  for (const key of ['anyOf', 'oneOf']) {
    if (schema[key]) schema[key] = [...schema[key], nothing]
  }
  if (schema.allOf) {
    const { allOf, ...rest } = schema
    return { anyOf: [{ ...rest, allOf }, nothing] }
  }
  return schema
}
