/** The same request as somebody would write it elsewhere. */

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * @param {'command' | 'query'} kind
 * @param {string} type
 * @param {unknown} value
 */
export function curl(kind, type, value) {
  const path = `/evento/api/${kind === 'query' ? 'queries' : 'commands'}/${encodeURIComponent(type)}`;
  return `curl -X POST ${location.origin}${path} \\\n  -H 'Content-Type: application/json' \\\n  -d ${quoted(JSON.stringify(value ?? {}))}`;
}

/** As a line of the Java SDK; records take their components in the order of the schema. */
export function java(kind, type, value, schema) {
  const made = literal(value ?? {}, schema ?? {}, schema ?? {}, type);
  return kind === 'query' ? `var answer = queries.ask(${made}, Map.class, Duration.ofSeconds(10))\n    .toCompletableFuture().join();`
    : `var receipt = commands.send(${made})\n    .toCompletableFuture().join();`;
}

function literal(value, given, root, name) {
  const schema = follow(given, root);
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return schema.enum ? `${capital(name)}.${value}` : JSON.stringify(value);
  if (typeof value === 'number') return schema.type === 'number' && Number.isInteger(value) ? `${value}.0` : String(value) + (Math.abs(value) > 2 ** 31 - 1 && Number.isInteger(value) ? 'L' : '');
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return `List.of(${value.map(one => literal(one, schema.items ?? {}, root, name)).join(', ')})`;
  if (!schema.properties) return `Map.of(${Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}, ${literal(one, schema.additionalProperties ?? {}, root, key)}`).join(', ')})`;
  const record = given.$ref ? given.$ref.split('/').at(-1) : capital(name);
  return `new ${record}(${Object.entries(schema.properties).map(([key, one]) => literal(value[key], one, root, key)).join(', ')})`;
}

const capital = name => name.charAt(0).toUpperCase() + name.slice(1);

function follow(given, root) {
  return given.$ref?.startsWith('#/') ? given.$ref.slice(2).split('/').reduce((at, key) => at?.[key], root) ?? {} : given ?? {};
}
