// The operations that the product uses, out of a recording: what each is for and which permission it needs.

import { getOperationAST, parse } from 'graphql'
import { byProduct } from './recording.js'

const FETCH = 'Fetch tags, branches and commits that the checkout lacks'

/**
 * `{kind, name, summary, url, needs, writes, signed}`, sorted; `needs` lists alternatives, each all of some
 * `{permission, level}`, and is empty where an App's signature is shown in place of a token.
 */
export function operationsOf({ rest, graphql, git }, description, schema) {
  const found = new Map()
  const add = (kind, name, exchange, about) => {
    const known = found.get(`${kind} ${name}`) ?? { kind, name, needs: [], ...about }
    if (known.needs.length === 0) known.needs = alternatives(exchange.permission)
    found.set(`${kind} ${name}`, known)
  }
  for (const exchange of rest.filter(byProduct)) {
    const operation = exchange.route !== null && description.operation(exchange.method, exchange.route)
    if (!operation) continue
    const about = { summary: operation.summary, url: operation.documentation, writes: exchange.method !== 'GET', signed: operation.isSigned }
    add('REST', `${operation.method} ${operation.path}`, exchange, about)
  }
  for (const exchange of graphql.filter(byProduct)) {
    for (const { name, summary, writes } of rootFields(exchange.request_body.query, schema)) {
      add('GraphQL', name, exchange, { summary, url: graphqlReference(name), writes })
    }
  }
  for (const exchange of git.filter(({ request_headers: headers }) => /promote\//.test(headers['user-agent'] ?? ''))) {
    if (exchange.path.endsWith('/git-upload-pack')) add('git', 'fetch', exchange, { summary: FETCH, writes: false })
    if (exchange.path.endsWith('/git-receive-pack')) add('git', 'push', exchange, { summary: 'Push', writes: true })
  }
  const order = ({ kind, name }) => `${['REST', 'GraphQL', 'git'].indexOf(kind)} ${name.replace(/^\S+ (\/\S+)$/, '$1 $&')}`
  return [...found.values()].sort((one, other) => (order(one) < order(other) ? -1 : 1))
}

function rootFields(query, schema) {
  const operation = getOperationAST(parse(query))
  const root = schema.getRootType(operation.operation).getFields()
  return operation.selectionSet.selections.map((selection) => ({
    name: `${operation.operation} ${selection.name.value}`,
    summary: root[selection.name.value]?.description?.split('\n\n')[0].replace(/\s+/g, ' ').replace(/\.$/, ''),
    writes: operation.operation === 'mutation',
  }))
}

function graphqlReference(name) {
  const [kind, field] = name.split(' ')
  return `https://docs.github.com/graphql/reference/${kind === 'mutation' ? 'mutations' : 'queries'}#${field.toLowerCase()}`
}

/** `issues=write; pull_requests=write` as alternatives in the names of workflows; with `,`, an alternative is both. */
export function alternatives(permission) {
  const one = (text) => {
    const [name, level] = text.split('=')
    return { permission: name.trim().replace(/_/g, '-'), level }
  }
  return (permission ?? '').split('; ').filter(Boolean).map((all) => all.split(',').map(one))
}

/** `` `issues: write` or `pull-requests: write` ``, as people are told. */
export function toldNeeds(needs) {
  return needs.map((all) => all.map(({ permission, level }) => `\`${permission}: ${level}\``).join(' and ')).join(' or ')
}

/** `docs/operations.md`. */
export function rendered(operations) {
  const row = ({ kind, name, summary, url, needs, writes, signed }) => {
    const what = url ? `[${summary}](${url})` : summary
    return `| ${kind === 'REST' ? '' : `${kind} `}\`${name}\` | ${what} | ${toldNeeds(needs) || (signed ? "none: the App's key" : 'none')} | ${writes ? 'write' : 'read'} |`
  }
  return `# What promote asks of GitHub

Every operation that promote uses, out of a recording of its whole test suite, with the permission that each needs.
Of those with "or" between them, one is enough. Every token has \`metadata: read\`.

<!-- Written by \`.ci/contract --write\`; do not edit. -->

| operation | what for | permission | |
|:--|:--|:--|:--|
${operations.map(row).join('\n')}
`
}
