package io.evento.server.gateway.http;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.evento.protocol.Codec;
import io.evento.server.NodeScoped;
import io.evento.server.cluster.Membership;
import io.evento.server.cluster.NodeState;
import io.evento.server.consumer.Consumers;
import io.evento.server.eventstore.append.Appender;
import io.evento.server.monitor.Alarm;
import io.evento.server.monitor.AlarmWatch;
import io.evento.server.persistence.Database;
import io.evento.server.routing.session.Availability;
import io.evento.server.security.Access;
import io.evento.server.security.Grants;
import io.evento.server.security.Needs;
import io.evento.server.security.OpenMode;
import jakarta.inject.Inject;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What balancers and operators ask, in MicroProfile Health's JSON shape. */
@NodeScoped
@Path("health")
@Produces(MediaType.APPLICATION_JSON)
public class HealthResource {
  @Inject private Membership membership;
  @Inject private Availability availability;
  @Inject private Appender appender;
  @Inject private OpenMode mode;
  @Inject private Grants grants;
  @Inject private AlarmWatch alarmWatch;
  @Inject private Database database;
  @Inject private Consumers consumers;

  /**
   * @param data what there is to say: the {@code reason} of a check that is down, or a state
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Check(String name, String status, @Nullable Map<String, String> data) {
    static Check of(String name, boolean up) {
      return new Check(name, up ? "UP" : "DOWN", null);
    }

    Check telling(String key, String value) {
      return new Check(name, status, Map.of(key, value));
    }

    /** Says why it is down; nothing while it is up. */
    Check because(String reason) {
      return isUp() ? this : telling("reason", reason);
    }

    boolean isUp() {
      return status.equals("UP");
    }
  }

  record Health(String status, List<Check> checks) {}

  /** The process answers. */
  @GET
  @Needs(Access.ANYBODY)
  @Path("live")
  public Response live() {
    return answer(Check.of("process", true));
  }

  /**
   * This node can take commands: it reaches the database and is not leaving. The state tells a
   * balancer which of both it is: a node that drains still answers what it was given.
   */
  @GET
  @Needs(Access.ANYBODY)
  @Path("ready")
  public Response ready() {
    return answer(
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

  /** This node has started: schema, links and timers are there. */
  @GET
  @Needs(Access.ANYBODY)
  @Path("started")
  public Response started() {
    return answer(Check.of("boot", membership.state() != NodeState.JOINING));
  }

  private static Response answer(Check... checks) {
    var up = Stream.of(checks).allMatch(Check::isUp);
    return Response.status(up ? 200 : 503)
        .entity(Bodies.bytes(Codec.text(new Health(up ? "UP" : "DOWN", List.of(checks)))))
        .build();
  }
}
