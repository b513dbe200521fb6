// Values that evidence rests on and that a description leaves open (`type: string`), held against the lists that the
// same description has for them elsewhere: of a query parameter, of a check run, of a request.

/** `list` is where the answer has them, `''` for an answer that is a list; `known` gives the values by field. */
const OPEN = [
  { path: /\/actions\/(workflows\/\{[^}]+\}\/)?runs$/, list: 'workflow_runs', known: ofRuns },
  { path: /\/actions\/runs\/\{[^}]+\}$/, known: ofRuns },
  { path: /\/pulls$/, known: ofPulls },
  { path: /\/(statuses\/\{sha\}|commits\/\{ref\}\/statuses)$/, known: ofStatuses },
]

/** What is wrong with the values of a successful answer. */
export function valueFaults(operation, { status, response_body: body }) {
  const open = OPEN.find(({ path }) => path.test(operation.path))
  if (!open || status >= 300 || body === null) return []
  const items = [open.list ? body[open.list] : body].flat().filter((item) => item !== null && typeof item === 'object')
  const known = Object.entries(open.known(operation.description))
  return items.flatMap((item) => known.flatMap(([field, values]) => {
    const fits = item[field] === undefined || values.includes(item[field])
    return fits ? [] : [{ pointer: `${open.list ? `/${open.list}/0` : ''}/${field}`, what: `${JSON.stringify(item[field])} is none of ${values.join(', ')}` }]
  }))
}

function enumAt(description, pointer) {
  const values = description.schemas.at(pointer)?.enum
  if (!values) throw new Error(`${description.name} has no list of values at ${pointer}`)
  return values
}

/** The parameter `status` of the list of runs takes both, statuses and conclusions. */
function ofRuns(description) {
  const { schemas } = description
  const both = description.operation('GET', '/repos/{owner}/{repo}/actions/runs').parameters('query').find(({ name }) => name === 'status')
  const status = enumAt(description, '/components/schemas/check-run/properties/status')
  const conclusions = [...schemas.at(both.pointer).enum, ...enumAt(description, '/components/schemas/check-run/properties/conclusion')]
  return { status, conclusion: [null, ...new Set(conclusions.filter((value) => value !== null && !status.includes(value)))] }
}

function ofPulls(description) {
  return { state: enumAt(description, '/components/schemas/pull-request/properties/state') }
}

function ofStatuses(description) {
  const body = description.operation('POST', '/repos/{owner}/{repo}/statuses/{sha}').requestBody()
  return { state: enumAt(description, `${body}/properties/state`) }
}
