package io.evento.scenario.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.evento.launcher.Member;
import io.evento.scenario.fixture.Cluster;
import io.evento.scenario.fixture.Wire;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One session of a bundle that speaks the protocol itself: an aggregate, a service, a projection
 * and a projector of its own. What says {@code fatal} in its payload ends the session, upon which
 * it connects again; a mute one only pings.
 */
public final class BreakingBundle implements AutoCloseable {
  public static final AtomicInteger ENDED = new AtomicInteger();

  private final Cluster cluster;
  private final Member node;
  private final String name;
  private final boolean isMute;
  private final Thread life;
  private volatile boolean isClosed;
  private volatile Wire wire;

  private BreakingBundle(Cluster cluster, Member node, String name, boolean isMute)
      throws Exception {
    this.cluster = cluster;
    this.node = node;
    this.name = name;
    this.isMute = isMute;
    wire = connected();
    life = new Thread(this::live, "breaking " + name);
    life.setDaemon(true);
    life.start();
  }

  /**
   * @param name of all that it declares: aggregate, command {@code Try}, query {@code Ask}, …
   */
  public static BreakingBundle fatal(Cluster cluster, Member node, String name) throws Exception {
    return new BreakingBundle(cluster, node, name, false);
  }

  public static BreakingBundle mute(Cluster cluster, Member node, String name) throws Exception {
    return new BreakingBundle(cluster, node, name, true);
  }

  private Wire connected() throws Exception {
    var opened = Wire.open(cluster, node);
    opened.send(declaration().toString());
    opened.next(message -> message.path("t").asText().equals("result"));
    return opened;
  }

  private ObjectNode declaration() {
    var declare = Wire.message("declare").put("id", UUID.randomUUID().toString());
    var components = declare.putArray("components");
    var aggregate = components.addObject().put("kind", "aggregate");
    aggregate.put("name", name).put("context", name);
    aggregate.putArray("commands").addObject().put("type", "Try" + name).put("idProperty", "id");
    if (!isMute) {
      var service = components.addObject().put("kind", "service").put("name", name + "Service");
      service.put("context", name).putArray("commands").addObject().put("type", "Run" + name);
      var projection = components.addObject().put("kind", "projection");
      projection.put("name", name + "Answers").put("context", name);
      projection.putArray("queries").addObject().put("type", "Ask" + name);
      var projector = components.addObject().put("kind", "projector");
      projector.put("name", name.toLowerCase(java.util.Locale.ROOT)).put("version", 1);
      projector.put("context", name);
      var consumes = projector.putObject("consumes").put("start", "end").put("segments", 2);
      consumes.putArray("contexts").add(name);
      consumes.putArray("types");
    }
    return declare;
  }

  private void live() {
    while (!isClosed) {
      try {
        hear(wire.next(message -> true));
      } catch (AssertionError quiet) {
        continue;
      } catch (InterruptedException stopped) {
        return;
      } catch (Exception lost) {
        reconnect();
      }
    }
  }

  private void reconnect() {
    wire.close();
    try {
      wire = connected();
    } catch (Exception later) {
      if (!isClosed) {
        throw new IllegalStateException(later);
      }
    }
  }

  private void hear(JsonNode message) throws Exception {
    var kind = message.path("t").asText();
    if (isMute || kind.equals("ping")) {
      return;
    }
    if (message.toString().contains("fatal")) {
      ENDED.incrementAndGet();
      reconnect();
      return;
    }
    switch (kind) {
      case "decide" -> wire.send(decided(message).toString());
      case "command", "query" -> {
        var result = Wire.message("result").put("id", message.path("id").asText());
        result.putObject("p").put("well", true);
        wire.send(result.toString());
      }
      case "enable" -> wire.send(about("credit", message).put("events", 64).toString());
      case "events" -> {
        wire.send(
            about("ack", message)
                .put("epoch", message.path("epoch").asText())
                .put("position", message.path("upTo").asLong())
                .toString());
        var count = message.path("events").size();
        if (count > 0) {
          wire.send(about("credit", message).put("events", count).toString());
        }
      }
      default -> {}
    }
  }

  /** One event for each command, on whatever history it is told. */
  private ObjectNode decided(JsonNode asked) {
    var answer = Wire.message("decided").put("id", asked.path("id").asText());
    answer.put("attempt", asked.path("attempt").asText());
    if (!asked.has("history")) {
      return answer.put("stale", true);
    }
    answer.set("tip", asked.path("tip"));
    answer.putArray("events").addObject().put("type", name + "Tried").putObject("p");
    return answer;
  }

  private static ObjectNode about(String kind, JsonNode heard) {
    return Wire.message(kind)
        .put("consumer", heard.path("consumer").asText())
        .put("segment", heard.path("segment").asInt())
        .put("fence", heard.path("fence").asLong());
  }

  @Override
  public void close() {
    isClosed = true;
    life.interrupt();
    wire.close();
  }
}
