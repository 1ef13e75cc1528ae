package io.evento.server.cluster;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Asks several nodes the same, and goes on with what came in time. The pattern is Scatter-Gather of
 * Hohpe and Woolf, <i>Enterprise Integration Patterns</i>, 2003.
 */
public final class ScatterGather {
  /** Who has not answered by then is left out. */
  private static final long WAIT_MILLIS = 500;

  private ScatterGather() {}

  /**
   * What was said.
   *
   * @param answers by the node's name, in its order
   * @param silent nodes that did not answer in time, or with what could not be read
   */
  public record Gathered<T>(Map<String, T> answers, List<String> silent) {}

  /**
   * Asks nodes.
   *
   * @param kind as in {@link Links#ask}
   * @param read makes something of an answer; on the thread that brings it
   * @return after half a second at the latest; it never fails, and no thread waits for it
   */
  public static <T> CompletionStage<Gathered<T>> ask(
      Links links, Collection<String> nodes, String kind, String body, Function<String, T> read) {
    var asked = List.copyOf(nodes);
    var told = new ConcurrentHashMap<String, T>();
    var all =
        asked.stream()
            .map(
                node ->
                    links
                        .ask(node, kind, body, WAIT_MILLIS)
                        .thenAccept(text -> told.put(node, read.apply(text)))
                        .exceptionally(silent -> null)
                        .toCompletableFuture())
            .toArray(CompletableFuture[]::new);
    return CompletableFuture.allOf(all)
        .thenApply(
            done ->
                new Gathered<>(
                    new TreeMap<>(told),
                    asked.stream().filter(node -> !told.containsKey(node)).toList()));
  }
}
