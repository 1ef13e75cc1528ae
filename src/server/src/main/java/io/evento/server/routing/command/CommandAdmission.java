package io.evento.server.routing.command;

import io.evento.protocol.EventoException;
import io.evento.server.DrainRate;
import io.evento.server.setting.Setting;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import io.micrometer.core.instrument.Counter;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;

/** Lets in as many commands as the node may have under way, and says {@code overloaded} beyond. */
final class CommandAdmission {
  private final Settings settings;
  private final AtomicInteger underWay = new AtomicInteger();
  private final DrainRate answered = new DrainRate();
  private final Counter overloaded;

  CommandAdmission(Settings settings, Metrics metrics) {
    this.settings = settings;
    overloaded = metrics.counter("evento_commands_overloaded", "commands refused early");
    metrics.gauge("evento_commands_under_way", "commands without an answer yet", underWay::get);
  }

  /**
   * @return empty if the command is in; whoever let it in says when it is {@link #over}
   */
  Optional<EventoException> enter() {
    if (underWay.incrementAndGet() <= settings.get(Setting.COMMANDS_WAITING_MAX)) {
      return Optional.empty();
    }
    var others = underWay.decrementAndGet();
    overloaded.increment();
    return Optional.of(
        EventoException.overloaded(
            "this node has too many commands under way", answered.untilRoom(others)));
  }

  /** A command that was let in has its answer. */
  void over() {
    underWay.decrementAndGet();
    answered.left();
  }

  /** How many were let in and have no answer yet. */
  int underWay() {
    return underWay.get();
  }
}
