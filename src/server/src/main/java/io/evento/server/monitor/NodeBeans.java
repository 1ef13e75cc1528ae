package io.evento.server.monitor;

import io.evento.server.NodeScoped;
import io.evento.server.cluster.Links;
import io.evento.server.cluster.Membership;
import io.evento.server.consumer.Consumers;
import io.evento.server.consumer.operation.ConsumerMonitor;
import io.evento.server.eventstore.StorePosition;
import io.evento.server.eventstore.follow.Follower;
import io.evento.server.routing.command.Router;
import io.evento.server.routing.session.Availability;
import io.evento.server.routing.session.Sessions;
import jakarta.annotation.PreDestroy;
import jakarta.inject.Inject;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;
import javax.management.InstanceAlreadyExistsException;
import javax.management.JMException;
import javax.management.ObjectName;
import javax.management.StandardMBean;
import org.jspecify.annotations.Nullable;

/** Shows this node to JMX consoles, from memory alone. */
@NodeScoped
public class NodeBeans implements NodeMXBean {
  private static final Logger LOG = System.getLogger(NodeBeans.class.getName());

  private final Membership membership;
  private final Availability availability;
  private final Follower follower;
  private final Consumers consumers;
  private final ConsumerMonitor monitor;
  private final Links links;
  private final Sessions sessions;
  private final Router router;
  private final AlarmWatch alarms;
  private @Nullable ObjectName registered;

  @Inject
  public NodeBeans(
      Membership membership,
      Availability availability,
      Follower follower,
      Consumers consumers,
      ConsumerMonitor monitor,
      Links links,
      Sessions sessions,
      Router router,
      AlarmWatch alarms) {
    this.membership = membership;
    this.availability = availability;
    this.follower = follower;
    this.consumers = consumers;
    this.monitor = monitor;
    this.links = links;
    this.sessions = sessions;
    this.router = router;
    this.alarms = alarms;
  }

  /** Begins to show it. A console that does not see it is no reason not to serve. */
  public synchronized void start() {
    try {
      var name = new ObjectName("io.evento:type=Node,name=" + membership.self());
      var server = ManagementFactory.getPlatformMBeanServer();
      var bean = new StandardMBean(this, NodeMXBean.class, true);
      try {
        server.registerMBean(bean, name);
      } catch (InstanceAlreadyExistsException former) {
        // Of a deployment before this one that did not end politely.
        server.unregisterMBean(name);
        server.registerMBean(bean, name);
      }
      registered = name;
    } catch (JMException failure) {
      LOG.log(Level.WARNING, "node not shown by JMX", failure);
    }
  }

  /** Shows it no more: what is registered would hold the application's class loader. */
  @PreDestroy
  public synchronized void stop() {
    var name = registered;
    registered = null;
    if (name != null) {
      try {
        ManagementFactory.getPlatformMBeanServer().unregisterMBean(name);
      } catch (JMException gone) {
        LOG.log(Level.DEBUG, "the node was not shown by JMX any more");
      }
    }
  }

  @Override
  public String getName() {
    return membership.self();
  }

  @Override
  public String getRelease() {
    return membership.release();
  }

  @Override
  public String getState() {
    return membership.state().wire();
  }

  @Override
  public boolean isReady() {
    return availability.isReady();
  }

  private Optional<StorePosition> head() {
    return follower.head();
  }

  @Override
  public long getHead() {
    return head().map(StorePosition::position).orElse(0L);
  }

  @Override
  public String getEpoch() {
    return head().map(known -> known.epoch().toString()).orElse("");
  }

  @Override
  public int getSegments() {
    return consumers.segments();
  }

  @Override
  public long getLagEventsMax() {
    return monitor
        .lastSeen()
        .map(seen -> seen.lags().stream().mapToLong(ConsumerMonitor.Lag::events).max().orElse(0))
        .orElse(-1L);
  }

  @Override
  public double getLagSecondsMax() {
    return monitor
        .lastSeen()
        .map(
            seen ->
                seen.lags().stream().mapToDouble(lag -> lag.age().toMillis() / 1e3).max().orElse(0))
        .orElse(-1.0);
  }

  @Override
  public long getSinceTimerMillis() {
    return consumers.sinceTimer().toMillis();
  }

  @Override
  public long getTimerRearms() {
    return consumers.timesTimerArmed();
  }

  @Override
  public long getSinceHeartbeatMillis() {
    return membership.sinceBeat().toMillis();
  }

  @Override
  public List<String> getLinks() {
    return links.peers().stream().sorted().toList();
  }

  @Override
  public int getSessions() {
    return sessions.all().size();
  }

  @Override
  public int getCommandsUnderWay() {
    return router.underWay();
  }

  @Override
  public List<String> getAlarms() {
    return alarms.active().stream()
        .map(alarm -> (alarm.kind() + ' ' + alarm.subject()).trim())
        .toList();
  }
}
