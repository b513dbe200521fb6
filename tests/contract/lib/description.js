// One of GitHub's published OpenAPI descriptions: its operations, parameters, answers and schemas.

import { published } from './published.js'
import { Schemas, escaped } from './schemas.js'

/** Names of path parameters differ between what is recorded and what is published; their places do not. */
function shape(route) {
  return route.replace(/\{[^}]+\}/g, '{}')
}

export class Description {
  #routes = new Map()

  constructor(name, document = JSON.parse(published(`openapi/generated/${name}.json`))) {
    this.name = name
    this.document = document
    this.schemas = new Schemas(document)
    for (const route of Object.keys(document.paths)) this.#routes.set(shape(route), route)
  }

  /** The operation of a method and a path template, or undefined. */
  operation(method, route) {
    const path = this.#routes.get(shape(route))
    const verb = method.toLowerCase()
    const found = path && this.document.paths[path][verb]
    return found && new Operation(this, path, verb, found)
  }
}

export class Operation {
  constructor(description, path, verb, found) {
    this.path = path
    this.method = verb.toUpperCase()
    this.summary = found.summary
    this.documentation = found.externalDocs?.url
    this.isSigned = /You must use a \[JWT\]/.test(found.description ?? '')
    this.description = description
    this.found = found
    this.pointer = `/paths/${escaped(path)}/${verb}`
  }

  /** Parameters of one place (`query`, `path`), each with the pointer of its schema. */
  parameters(place) {
    const { schemas, document } = this.description
    const lists = [`/paths/${escaped(this.path)}/parameters`, `${this.pointer}/parameters`]
    return lists
      .flatMap((list) => (schemas.at(list) ?? []).map((_, index) => schemas.resolved(`${list}/${index}`)))
      .map((pointer) => ({ ...schemas.at(pointer), pointer: `${pointer}/schema` }))
      .filter((parameter) => parameter.in === place && document)
  }

  /** The pointer of the schema of a JSON body that may be sent; undefined where none is documented. */
  requestBody() {
    const body = this.description.schemas.resolved(`${this.pointer}/requestBody`)
    return this.description.schemas.at(body) && this.#json(body)
  }

  bodyIsRequired() {
    return this.description.schemas.at(this.description.schemas.resolved(`${this.pointer}/requestBody`))?.required === true
  }

  /** `{body}`, the pointer of the answer's schema or undefined where it has none; undefined for an undocumented status. */
  answer(status) {
    const response = this.description.schemas.resolved(`${this.pointer}/responses/${status}`)
    const found = this.description.schemas.at(response)
    return found && { body: this.#json(response), paged: found.headers?.Link !== undefined }
  }

  #json(holder) {
    const content = this.description.schemas.at(`${holder}/content`) ?? {}
    const kind = ['application/json', ...Object.keys(content)].find((type) => content[type] && /json|\*\/\*/.test(type))
    return kind && `${holder}/content/${escaped(kind)}/schema`
  }
}
