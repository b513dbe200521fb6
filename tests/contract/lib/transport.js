// What holds for exchanges of every surface: no recording has a secret, and git's own requests have known answers.

/** A secret anywhere among the headers of a request. */
export function checkSecrets(exchange, report) {
  for (const [name, value] of Object.entries(exchange.request_headers)) {
    const secret = /authorization$/.test(name) ? value !== '***' : /\b(basic|bearer|token) [\w+/=.-]{8,}|\bgh[a-z]_\w/i.test(value)
    if (secret) report.violation({ against: 'the recording', where: `${exchange.surface} request`, pointer: `/headers/${name}`, what: 'a secret was recorded' })
  }
}

const SERVICES = ['git-upload-pack', 'git-receive-pack']

/** How GitHub answers git over HTTP: not there, not allowed, or with what the protocol says. */
const STATUSES = [200, 401, 403, 404]

/** Holds one exchange of git against its protocol over HTTP, and against how GitHub refuses. */
export function checkGit(exchange, report) {
  const { method, path, query, status, fault } = exchange
  const service = new URLSearchParams(query).get('service') ?? path.split('/').at(-1)
  const say = (what) => report.violation({ against: 'git over HTTP', where: `git ${method} ${service} ${status}`, what })
  const discovery = method === 'GET' && path.endsWith('/info/refs')
  if (!SERVICES.includes(service) || (!discovery && method !== 'POST')) say('a request that git does not make')
  report.count('git exchanges')
  if (fault !== null) return
  if (!STATUSES.includes(status)) say('a status that GitHub does not answer git with')
  const headers = exchange.response_headers
  if (status === 200 && headers['content-type'] !== `application/x-${service}-${discovery ? 'advertisement' : 'result'}`) say('is not of the type that git asks for')
  if (status === 200 && exchange.request_headers.authorization === undefined) say('is answered without a token')
  if (status === 401 && !/^Basic realm=/.test(headers['www-authenticate'] ?? '')) say('does not ask for a token')
}
