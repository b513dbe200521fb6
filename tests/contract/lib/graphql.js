// GraphQL exchanges against GitHub's published schema: the document, its variables, and the answer to it.
//
// An answer is held against its document by executing the document with the answer as the data: where both agree,
// nothing is lost, nothing is added and no type is wrong.

import { isDeepStrictEqual } from 'node:util'
import { GraphQLError, buildSchema, execute, getOperationAST, getVariableValues, isNonNullType, parse, validate } from 'graphql'
import { published } from './published.js'
import { byProduct } from './recording.js'

/** Forms of GitHub's own scalars, of which the schema says the name only. */
const SCALARS = {
  DateTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/,
  Date: /^\d{4}-\d\d-\d\d$/,
  GitObjectID: /^[0-9a-f]{40}$/,
  GitRefname: /^refs\/\S+$/,
  GitTimestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)$/,
  URI: /^\S+$/,
}

export function githubSchema() {
  const schema = buildSchema(published('graphql-schema/schema.graphql'), { assumeValid: true })
  for (const [name, form] of Object.entries(SCALARS)) {
    const scalar = schema.getType(name)
    const checked = (value) => {
      if (typeof value !== 'string' || !form.test(value)) throw new GraphQLError(`${JSON.stringify(value)} is no ${name}`)
      return value
    }
    Object.assign(scalar, { serialize: checked, parseValue: checked })
  }
  return schema
}

const AGAINST = 'GraphQL schema'

/** Holds one exchange against the schema. */
export function checkGraphql(schema, exchange, report) {
  const { query, variables = {}, operationName } = exchange.request_body ?? {}
  const answer = exchange.fault === null || exchange.fault.startsWith('{"delay-') ? exchange.response_body : null
  const refused = Array.isArray(answer?.errors)
  let document
  let where = 'a document'
  const say = (fault) => report.violation({ against: AGAINST, where, ...fault })
  // What a test gets wrong on purpose, the fake must refuse; what the product sends must be right.
  const held = byProduct(exchange) || !refused
  const told = (errors) => held && errors.forEach((error) => say({ what: error.message }))
  try {
    document = parse(query ?? '')
  } catch (error) {
    told([error])
    return
  }
  const operation = getOperationAST(document, operationName)
  where = named(operation)
  report.count('GraphQL documents')
  if (held) requestFaults(exchange, operation).forEach(say)
  const wrong = validate(schema, document)
  told(wrong)
  if (wrong.length || !operation) return
  const coerced = getVariableValues(schema, operation.variableDefinitions ?? [], variables)
  told(coerced.errors ?? [])
  const own = exchange.fault === null || exchange.fault.startsWith('{"delay-')
  if (coerced.errors || !own || exchange.status === null) return
  if (!/^application\/json/.test(exchange.response_headers['content-type'] ?? '')) say({ pointer: '/headers/content-type', what: 'is not JSON' })
  if (answer === null || typeof answer !== 'object') {
    say({ what: `status ${exchange.status} without a body` })
    return
  }
  // A refusal of the whole request, as of a bad token or by a server without GraphQL, is one of the REST API.
  if (exchange.status !== 200) {
    if (typeof answer.message !== 'string') say({ what: `status ${exchange.status} without a message` })
    return
  }
  answerFaults(schema, document, operation, { variables, operationName }, answer).forEach(say)
  report.count('GraphQL answers')
}

/** How a document is sent: where to, as what, and with nothing that it does not declare. */
function requestFaults(exchange, operation) {
  const { method, path, request_headers: headers, request_body: body } = exchange
  const faults = []
  if (method !== 'POST' || !['/graphql', '/api/graphql'].includes(path)) faults.push({ what: `is sent by ${method} ${path}, not by POST to the address of GraphQL` })
  // Tests may be plainer.
  if (byProduct(exchange) && !/^application\/json/.test(headers['content-type'] ?? '')) faults.push({ pointer: '/headers/content-type', what: 'a JSON body is not called so' })
  if (headers.authorization === undefined) faults.push({ pointer: '/headers/authorization', what: 'there is no token' })
  const { variables = {} } = body
  if (variables === null || typeof variables !== 'object' || Array.isArray(variables)) return [...faults, { pointer: '/variables', what: 'must be an object' }]
  const declared = new Set((operation?.variableDefinitions ?? []).map(({ variable }) => variable.name.value))
  const undeclared = Object.keys(variables).filter((name) => !declared.has(name))
  return [...faults, ...undeclared.map((name) => ({ pointer: `/variables/${name}`, what: 'a variable that the document does not declare' }))]
}

/** `mutation updateRefs`, by the fields at the root. */
export function named(operation) {
  if (!operation) return 'a document without an operation'
  const fields = operation.selectionSet.selections.map((selection) => selection.name?.value ?? '…')
  return `${operation.operation} ${fields.join(', ')}`
}

function answerFaults(schema, document, operation, { variables, operationName }, answer) {
  const faults = Object.keys(answer)
    .filter((key) => !['data', 'errors', 'extensions'].includes(key))
    .map((key) => ({ pointer: `/${key}`, what: 'a field that no answer has' }))
  if ('errors' in answer) faults.push(...errorFaults(answer.errors))
  if (!('data' in answer)) return [...faults, ...withoutData(answer.errors)]
  const { data } = answer
  if (data === null || typeof data !== 'object') {
    const root = schema.getRootType(operation.operation).getFields()
    const required = operation.selectionSet.selections.some((field) => root[field.name?.value] && isNonNullType(root[field.name.value].type))
    if (data !== null || !answer.errors?.length || !required) faults.push({ pointer: '/data', what: 'is null, though its fields may be' })
    return faults
  }
  faults.push(...(answer.errors ?? []).filter((error) => isThere(data, error.path)).map(({ path }) => ({ pointer: `/data/${path.join('/')}`, what: 'is there, though it failed' })))
  const executed = execute({
    schema,
    document,
    operationName,
    variableValues: variables,
    rootValue: data,
    fieldResolver: (source, _arguments, _context, info) => source[info.path.key],
    typeResolver: (value, _context, info, abstract) => value.__typename ?? onlyFitting(schema, abstract, value, info),
  })
  const failed = (executed.errors ?? []).map((error) => ({ pointer: `/data/${(error.path ?? []).join('/')}`, what: error.message }))
  if (failed.length) return [...faults, ...failed]
  return isDeepStrictEqual(plain(executed.data), data) ? faults : [...faults, ...differences(plain(executed.data), data, '/data')]
}

/** What an error is about is null, or something around it is. */
function isThere(data, path) {
  return Array.isArray(path) && path.reduce((value, part) => value?.[part] ?? null, data) !== null
}

/**
 * Only a document that was not executed has no data: GitHub gives each such error a code, as where it does not fit
 * the server's own schema, or refuses the whole of it for its rate. What fails later leaves its field null.
 */
function withoutData(errors) {
  if (!Array.isArray(errors) || errors.length === 0) return [{ pointer: '/data', what: 'is missing, and no error says why' }]
  const before = (error) => typeof error.extensions?.code === 'string' || error.type === 'RATE_LIMITED'
  return errors.every(before) ? [] : [{ pointer: '/data', what: 'is missing, though the document was executed' }]
}

/** The one type that a fragment of the selection is on, where the answer does not say its `__typename`. */
function onlyFitting(schema, abstract, value, info) {
  const possible = schema.getPossibleTypes(abstract)
  const selections = info.fieldNodes.flatMap((node) => node.selectionSet?.selections ?? [])
  const conditions = selections.map((selection) => selection.typeCondition?.name.value ?? info.fragments[selection.name?.value]?.typeCondition.name.value)
  const named = possible.filter((type) => conditions.includes(type.name))
  const fits = (type) => Object.keys(value).every((key) => key in type.getFields())
  return (named.find(fits) ?? possible.find(fits) ?? possible[0])?.name
}

function plain(value) {
  return JSON.parse(JSON.stringify(value))
}

/** Where the executed data and the answer part. */
function differences(due, found, pointer) {
  if (isDeepStrictEqual(due, found)) return []
  const both = due !== null && found !== null && typeof due === 'object' && typeof found === 'object'
  if (!both) return [{ pointer, what: `is ${JSON.stringify(found)} where the schema makes it ${JSON.stringify(due)}` }]
  const keys = new Set([...Object.keys(due), ...Object.keys(found)])
  return [...keys].flatMap((key) => {
    const here = `${pointer}/${key}`
    if (!(key in due)) return [{ pointer: here, what: 'a field that was not asked for' }]
    if (!(key in found)) return [{ pointer: here, what: 'a field that was asked for is missing' }]
    return differences(due[key], found[key], here)
  })
}

/** Errors have the form of the GraphQL specification, with GitHub's `type`. */
function errorFaults(errors) {
  if (!Array.isArray(errors) || errors.length === 0) return [{ pointer: '/errors', what: 'must be a list of at least one' }]
  const forms = {
    message: (value) => typeof value === 'string' && value !== '',
    type: (value) => typeof value === 'string',
    path: (value) => Array.isArray(value) && value.every((part) => typeof part === 'string' || Number.isInteger(part)),
    locations: (value) => Array.isArray(value) && value.every(({ line, column }) => line > 0 && column > 0),
    extensions: (value) => value !== null && typeof value === 'object',
  }
  return errors.flatMap((error, index) => {
    const missing = 'message' in error ? [] : [{ pointer: `/errors/${index}`, what: 'has no message' }]
    const wrong = Object.entries(error)
      .filter(([key, value]) => !forms[key]?.(value))
      .map(([key]) => ({ pointer: `/errors/${index}/${key}`, what: 'is not what an error has there' }))
    return [...missing, ...wrong]
  })
}
