package io.evento.bundle.gateway;

import io.evento.bundle.payload.PayloadType;
import io.evento.protocol.Receipt;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Which key owns a command, so that it goes to the owner's node at once and not by a detour. Known
 * from what is hosted here, else learned from the first receipt of each type. A hint: wherever a
 * command arrives, it is forwarded to its owner.
 */
public final class OwnerKeys {
  /** Stands for the aggregate type of commands that a service runs. */
  private static final String SERVICE = "";

  private static final int TYPES_MAX = 10_000;

  private final Map<String, String> aggregateByCommand = new ConcurrentHashMap<>();

  /** A type of command that is decided by an aggregate or boundary here. */
  public void aggregate(String command, String aggregateType) {
    aggregateByCommand.put(command, aggregateType);
  }

  /** A type of command that is run by a service here. */
  public void service(String command) {
    aggregateByCommand.put(command, SERVICE);
  }

  @Nullable String keyOf(PayloadType type, Object command, UUID id) {
    var aggregate = aggregateByCommand.get(type.name());
    if (aggregate == null) {
      return null;
    }
    if (aggregate.equals(SERVICE)) {
      return id.toString();
    }
    var subject = type.subject(command);
    return subject == null || subject.isEmpty() ? null : stream(aggregate, subject);
  }

  private static String stream(String type, String id) {
    // The same spelling as Aggregate.stream(), without its checks: those are the server's to make.
    return type + ':' + id;
  }

  void learn(PayloadType type, Receipt receipt) {
    if (aggregateByCommand.size() < TYPES_MAX) {
      var stream = receipt.aggregate();
      aggregateByCommand.putIfAbsent(type.name(), stream == null ? SERVICE : stream.type());
    }
  }
}
