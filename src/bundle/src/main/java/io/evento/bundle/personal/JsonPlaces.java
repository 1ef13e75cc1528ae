package io.evento.bundle.personal;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.evento.protocol.Codec;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Replaces values within JSON text, and leaves every other character as it is: what is around them
 * is neither decoded nor written anew.
 */
final class JsonPlaces {
  /** Stands in a path for each element of a list, and each value of a map. */
  static final String EACH = "";

  private final String json;
  private final JsonParser parser;
  private final Replacer replacer;
  private final StringBuilder written = new StringBuilder();
  private int copied;

  /** Says what stands at a place from now on. */
  interface Replacer {
    /**
     * @param path which of the paths leads there; -1 if any object is looked at
     * @return null to leave it
     */
    @Nullable String replace(int path, String pointer, String value);
  }

  private record Candidate(int path, List<String> rest) {}

  private JsonPlaces(String json, JsonParser parser, Replacer replacer) {
    this.json = json;
    this.parser = parser;
    this.replacer = replacer;
  }

  /**
   * Replaces what is at some paths.
   *
   * @param paths names of properties, or {@link #EACH}; none leads through another one's end
   */
  static String replace(String json, List<List<String>> paths, Replacer replacer) {
    var candidates = new ArrayList<Candidate>();
    for (var i = 0; i < paths.size(); i++) {
      candidates.add(new Candidate(i, paths.get(i)));
    }
    return walk(json, replacer, walk -> walk.value("", candidates));
  }

  /** Replaces objects, wherever they are. */
  static String replaceObjects(String json, Replacer replacer) {
    return walk(json, replacer, walk -> walk.anything(""));
  }

  private interface Walk {
    void through(JsonPlaces places) throws IOException;
  }

  private static String walk(String json, Replacer replacer, Walk walk) {
    try (var parser = Codec.parser(json)) {
      parser.nextToken();
      var places = new JsonPlaces(json, parser, replacer);
      walk.through(places);
      return places.written.append(json, places.copied, json.length()).toString();
    } catch (IOException malformed) {
      throw new IllegalStateException("a payload is no JSON", malformed);
    }
  }

  /** The parser stands on the first token of a value, and on its last one afterwards. */
  private void value(String pointer, List<Candidate> candidates) throws IOException {
    for (var candidate : candidates) {
      if (candidate.rest.isEmpty()) {
        take(candidate.path, pointer);
        return;
      }
    }
    if (parser.currentToken() == JsonToken.START_OBJECT) {
      for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
        parser.nextToken();
        inside(pointer + "/" + escaped(name), next(candidates, name));
      }
    } else if (parser.currentToken() == JsonToken.START_ARRAY) {
      for (var i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
        inside(pointer + "/" + i, next(candidates, EACH));
      }
    }
  }

  private void inside(String pointer, List<Candidate> candidates) throws IOException {
    if (candidates.isEmpty()) {
      parser.skipChildren();
    } else {
      value(pointer, candidates);
    }
  }

  private static List<Candidate> next(List<Candidate> candidates, String name) {
    var next = new ArrayList<Candidate>(candidates.size());
    for (var candidate : candidates) {
      var step = candidate.rest.get(0);
      if (step.equals(EACH) || step.equals(name)) {
        next.add(new Candidate(candidate.path, candidate.rest.subList(1, candidate.rest.size())));
      }
    }
    return next;
  }

  private void take(int path, String pointer) throws IOException {
    var start = start();
    parser.skipChildren();
    put(path, pointer, start, end());
  }

  private void anything(String pointer) throws IOException {
    if (parser.currentToken() == JsonToken.START_ARRAY) {
      for (var i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
        anything(pointer + "/" + i);
      }
    } else if (parser.currentToken() == JsonToken.START_OBJECT) {
      var start = start();
      for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
        parser.nextToken();
        anything(pointer + "/" + escaped(name));
      }
      if (start >= copied) {
        put(-1, pointer, start, end());
      }
    }
  }

  private void put(int path, String pointer, int start, int end) {
    var instead = replacer.replace(path, pointer, json.substring(start, end));
    if (instead != null) {
      written.append(json, copied, start).append(instead);
      copied = end;
    }
  }

  private int start() {
    return (int) parser.currentTokenLocation().getCharOffset();
  }

  private int end() throws IOException {
    parser.finishToken();
    return (int) parser.currentLocation().getCharOffset();
  }

  private static String escaped(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  /**
   * The text of a value: of a string without its quotes, of anything else as it is written.
   *
   * @return empty if there is none, or null stands there
   */
  static Optional<String> text(String json, List<String> path) {
    try (var parser = Codec.parser(json)) {
      var token = parser.nextToken();
      for (var step : path) {
        if (token != JsonToken.START_OBJECT) {
          return Optional.empty();
        }
        token = null;
        for (var name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
          var value = parser.nextToken();
          if (name.equals(step)) {
            token = value;
            break;
          }
          parser.skipChildren();
        }
      }
      return token == null || token == JsonToken.VALUE_NULL || token.isStructStart()
          ? Optional.empty()
          : Optional.of(parser.getText());
    } catch (IOException malformed) {
      throw new IllegalStateException("a payload is no JSON", malformed);
    }
  }
}
