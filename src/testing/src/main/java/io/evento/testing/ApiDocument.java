package io.evento.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion.VersionFlag;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

/**
 * The OpenAPI or AsyncAPI document, as a judge of what was really sent. Stricter than for a reader
 * of the document: a property that it does not name is an error, so that nothing is added to a door
 * and forgotten there.
 */
public final class ApiDocument {
  /** Tests of all modules run in the folder of the parent. */
  private static final Path SOURCES = Path.of("src/server/src/main/resources/api");

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonSchemaFactory SCHEMAS =
      JsonSchemaFactory.getInstance(VersionFlag.V202012);

  private final JsonNode document;
  private final Map<String, JsonSchema> schemas = new ConcurrentHashMap<>();

  private ApiDocument(JsonNode document) {
    this.document = document;
  }

  /** The one of HTTP. */
  public static ApiDocument openApi() {
    return load("openapi.json");
  }

  /** The one of the WebSocket. */
  public static ApiDocument asyncApi() {
    return load("asyncapi.json");
  }

  private static ApiDocument load(String name) {
    try {
      return new ApiDocument(JSON.readTree(SOURCES.resolve(name).toFile()));
    } catch (IOException unread) {
      throw new UncheckedIOException(unread);
    }
  }

  public JsonNode json() {
    return document;
  }

  /**
   * What is wrong with an exchange over HTTP.
   *
   * @param path below {@code /evento/api}, without the query
   * @param request body, perhaps empty; judged only where it was accepted
   * @param contentType of the answer, perhaps with parameters
   * @return empty if the document says the same
   */
  public Optional<String> exchange(
      String method, String path, String request, int status, String contentType, String answer) {
    var template = template(path);
    if (template.isEmpty()) {
      return status == 404 || status == 400
          ? problem(contentType, answer)
          : Optional.of("no path " + path);
    }
    var at = "/paths/" + escaped(template.get());
    var operation = at + "/" + method.toLowerCase(java.util.Locale.ROOT);
    if (document.at(operation).isMissingNode()) {
      return status >= 400
          ? problem(contentType, answer)
          : Optional.of("no " + method + " " + path);
    }
    if (status < 300 && !request.isEmpty()) {
      var wrong =
          judge(operation + "/requestBody/content/application~1json/schema", request)
              .map(said -> "request " + said);
      if (wrong.isPresent()) {
        return wrong;
      }
    }
    var responses = operation + "/responses/";
    var response =
        document.at(responses + status).isMissingNode()
            ? responses + "default"
            : responses + status;
    if (document.at(response).isMissingNode()) {
      return Optional.of("no answer " + status);
    }
    var media = contentType.split(";", 2)[0].strip();
    if (media.isEmpty() && document.at(response + "/content").isMissingNode()) {
      return answer.isEmpty() ? Optional.empty() : Optional.of("a body with answer " + status);
    }
    var content = response + "/content/" + escaped(media);
    if (document.at(content).isMissingNode()) {
      return Optional.of("no answer " + status + " in " + media);
    }
    return media.endsWith("json") ? judge(content + "/schema", answer) : Optional.empty();
  }

  private Optional<String> problem(String contentType, String answer) {
    return contentType.startsWith("application/problem+json")
        ? judge("/components/schemas/Problem", answer)
        : Optional.of("no problem but " + contentType);
  }

  private Optional<String> template(String path) {
    String found = null;
    for (var names = document.path("paths").fieldNames(); names.hasNext(); ) {
      var template = names.next();
      var pattern = Pattern.quote(template).replaceAll("\\{[^/}]+}", "\\\\E[^/]+\\\\Q");
      // The one with fewer parameters wins.
      if (Pattern.matches(pattern, path)
          && (found == null || parameters(template) < parameters(found))) {
        found = template;
      }
    }
    return Optional.ofNullable(found);
  }

  private static long parameters(String template) {
    return template.chars().filter(c -> c == '{').count();
  }

  /**
   * What is wrong with a message of the WebSocket.
   *
   * @param line one message
   * @return empty if the document says the same
   */
  public Optional<String> message(String line) {
    var kind = read(line).path("t").asText();
    var at = "/components/messages/" + kind + "/payload";
    return document.at(at).isMissingNode() ? Optional.of("no message " + kind) : judge(at, line);
  }

  private Optional<String> judge(String pointer, String text) {
    var schema = schemas.computeIfAbsent(pointer, this::schema);
    var errors = new TreeSet<String>();
    schema.validate(read(text)).forEach(error -> errors.add(error.toString()));
    return errors.isEmpty()
        ? Optional.empty()
        : Optional.of(String.join("; ", errors) + " in " + text);
  }

  private JsonSchema schema(String pointer) {
    // All of the components come along, as references point there.
    var whole = JSON.createObjectNode();
    whole.set("components", document.path("components").deepCopy());
    whole.setAll((ObjectNode) object(document.at(pointer).deepCopy()));
    close(whole);
    return SCHEMAS.getSchema(whole);
  }

  private static JsonNode object(JsonNode schema) {
    if (schema.isMissingNode()) {
      throw new IllegalStateException("the document has no schema there");
    }
    return schema;
  }

  /** Where properties are named, they are all there are. */
  private static void close(JsonNode node) {
    if (node instanceof ObjectNode object
        && object.has("properties")
        && object.path("type").toString().contains("object")
        && !object.has("additionalProperties")) {
      object.put("additionalProperties", false);
    }
    node.forEach(ApiDocument::close);
  }

  private static JsonNode read(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException malformed) {
      return JSON.getNodeFactory().textNode(text);
    }
  }

  private static String escaped(String segment) {
    return segment.replace("~", "~0").replace("/", "~1");
  }
}
