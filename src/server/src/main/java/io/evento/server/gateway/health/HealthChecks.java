package io.evento.server.gateway.health;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.NodeState;
import io.evento.server.consumer.Consumers;
import io.evento.server.eventstore.append.Appender;
import io.evento.server.gateway.health.Health.Check;
import io.evento.server.monitor.Alarm;
import io.evento.server.monitor.AlarmWatch;
import io.evento.server.persistence.Database;
import io.evento.server.routing.session.Availability;
import io.evento.server.security.Grants;
import io.evento.server.security.OpenMode;
import jakarta.inject.Inject;

/** What balancers and operators ask of this node, from memory alone. */
@NodeScoped
public class HealthChecks {
  private final Membership membership;
  private final Availability availability;
  private final Appender appender;
  private final OpenMode mode;
  private final Grants grants;
  private final AlarmWatch alarmWatch;
  private final Database database;
  private final Consumers consumers;

  @Inject
  public HealthChecks(
      Membership membership,
      Availability availability,
      Appender appender,
      OpenMode mode,
      Grants grants,
      AlarmWatch alarmWatch,
      Database database,
      Consumers consumers) {
    this.membership = membership;
    this.availability = availability;
    this.appender = appender;
    this.mode = mode;
    this.grants = grants;
    this.alarmWatch = alarmWatch;
    this.database = database;
    this.consumers = consumers;
  }

  /** The process answers. */
  public Health live() {
    return Health.of(Check.of("process", true));
  }

  /** This node has started: schema, links and timers are there. */
  public Health started() {
    return Health.of(Check.of("boot", membership.state() != NodeState.JOINING));
  }

  /**
   * This node can take commands: it reaches the database and is not leaving. The state tells a
   * balancer which of both it is: a node that drains still answers what it was given.
   */
  public Health ready() {
    return Health.of(
        Check.of("membership", availability.isReady()).telling("state", membership.state().wire()),
        Check.of("append", appender.isReady()).because(appender.whyNotReady()),
        Check.of("database", !database.isAway())
            .because("no connection could be had just now; the node tries on"),
        security(),
        timer(),
        alarms());
  }

  /**
   * When the application server's timer made its last pass. No reason to send nothing to this node:
   * a timer that is lost is stood in for and armed again.
   */
  private Check timer() {
    return Check.of("timer", true)
        .telling("sinceLastPassMillis", Long.toString(consumers.sinceTimer().toMillis()));
  }

  /** What is wrong with the cluster: told here, and no reason to send nothing to this node. */
  private Check alarms() {
    var kinds = alarmWatch.active().stream().map(Alarm::kind).distinct().sorted().toList();
    var check = Check.of("alarms", true);
    return kinds.isEmpty() ? check : check.telling("active", String.join(", ", kinds));
  }

  /** Whether this node can tell whom to let in. */
  private Check security() {
    var check =
        Check.of("security", mode.refusal().isEmpty() && (mode.isOpen() || grants.isFresh()));
    return check.because(
        mode.refusal().orElse("this node cannot tell which credentials are valid just now"));
  }
}
