// Pages of lists: how many items a page may have, when there must be a next one, and where its address leads.

const RELATIONS = ['first', 'prev', 'next', 'last']
const pointer = '/headers/link'

/** What is wrong with the page that an answer shows. */
export function pageFaults(operation, documented, exchange) {
  const { link } = exchange.response_headers
  if (!documented.paged) return link === undefined ? [] : [{ pointer, what: 'pages where none are documented' }]
  const { pages, fault } = link === undefined ? { pages: new Map() } : linked(exchange, link)
  return fault ? [{ pointer, what: fault }] : sizeFaults(operation, exchange, pages)
}

/** A page that is full, of a list that goes on, has a next one. */
function sizeFaults(operation, { query, response_body: body }, pages) {
  const asked = new URLSearchParams(query)
  const items = Array.isArray(body) ? body : Object.values(body ?? {}).find(Array.isArray)
  const size = Number(asked.get('per_page') ?? usual(operation, 'per_page'))
  if (!items || !size) return []
  if (items.length > size) return [{ what: `${items.length} items on a page of ${size}` }]
  const shown = size * (Number(asked.get('page') ?? 1) - 1) + items.length
  if (body.total_count < items.length) return [{ pointer: '/total_count', what: `is ${body.total_count} after ${items.length} items` }]
  const more = items.length === size && body.total_count > shown
  return more && !pages.has('next') ? [{ pointer, what: `has no next page after ${shown} of ${body.total_count} items` }] : []
}

function usual(operation, name) {
  const parameter = operation.parameters('query').find((known) => known.name === name)
  return parameter && operation.description.schemas.at(parameter.pointer)?.default
}

/** `<address>; rel="next", …` as page numbers by relation, or the fault that it has. */
function linked(exchange, link) {
  const asked = new URLSearchParams(exchange.query)
  const pages = new Map()
  for (const part of link.split(', ')) {
    const [, address, relation] = /^<([^>]+)>; rel="(\w+)"$/.exec(part) ?? []
    const url = parsed(address)
    if (!url) return { fault: `is not of the form <address>; rel="name": ${part}` }
    if (!RELATIONS.includes(relation) || pages.has(relation)) return { fault: `an unknown or repeated relation ${relation}` }
    if (url.host !== (exchange.request_headers.host ?? 'api.github.com')) return { fault: 'leads to another server' }
    if (!sameOperation(url.pathname, exchange.path)) return { fault: 'leads to another operation' }
    if (filters(url.searchParams) !== filters(asked)) return { fault: 'does not keep the other parameters' }
    pages.set(relation, Number(url.searchParams.get('page')))
  }
  return { pages, fault: numberFault(pages, Number(asked.get('page') ?? 1)) }
}

function numberFault(pages, here) {
  const wrong = (relation, page) => pages.has(relation) && pages.get(relation) !== page
  if (wrong('next', here + 1) || wrong('prev', here - 1) || wrong('first', 1)) return 'names another page than its relation says'
  if (pages.has('next') && !(pages.get('last') >= here + 1)) return 'has a next page and no last one'
  if (!pages.has('next') && pages.get('last') > here) return 'has a last page and no next one'
  if (here === 1 && !pages.has('next')) return 'has neither a next page nor one before'
  return undefined
}

/** GitHub names the repository by its id in such addresses (`/repositories/{id}/…`), its servers have a prefix. */
function sameOperation(pathname, path) {
  const rest = path.replace(/^\/repos\/[^/]+\/[^/]+/, '')
  return [path, `/api/v3${path}`].includes(pathname) || (rest !== path && pathname.replace(/^(\/api\/v3)?\/repositories\/\d+/, '') === rest)
}

/** All parameters but the page, in an order. */
function filters(parameters) {
  return JSON.stringify([...parameters].filter(([name]) => name !== 'page').sort())
}

function parsed(address) {
  try {
    return new URL(address)
  } catch {
    return undefined
  }
}
