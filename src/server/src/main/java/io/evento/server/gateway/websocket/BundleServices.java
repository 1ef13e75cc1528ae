package io.evento.server.gateway.websocket;

import io.evento.server.NodeScoped;
import io.evento.server.catalog.Catalog;
import io.evento.server.cluster.Membership;
import io.evento.server.config.ServerConfig;
import io.evento.server.consumer.Consumers;
import io.evento.server.consumer.live.LiveQueries;
import io.evento.server.consumer.live.UpdateForwarder;
import io.evento.server.consumer.outbox.Schedules;
import io.evento.server.gateway.live.EventFeeds;
import io.evento.server.personal.SubjectKeys;
import io.evento.server.routing.command.Router;
import io.evento.server.routing.query.Queries;
import io.evento.server.routing.session.Availability;
import io.evento.server.routing.session.Sessions;
import io.evento.server.security.AuditLog;
import io.evento.server.setting.Settings;
import io.evento.server.telemetry.Metrics;
import jakarta.inject.Inject;
import java.util.concurrent.atomic.AtomicLong;

/** The rooms behind the bundles' door. */
@NodeScoped
public class BundleServices {
  final Router router;
  final Queries queries;
  final Sessions sessions;
  final Consumers consumers;
  final Schedules schedules;
  final Catalog catalog;
  final Membership membership;
  final ServerConfig config;
  final Settings settings;
  final EventFeeds feeds;
  final LiveQueries liveQueries;
  final UpdateForwarder updateForwarder;
  final SubjectKeys subjectKeys;
  final AuditLog audit;
  final Availability availability;
  final SessionTraffic traffic;
  final AtomicLong lastSession = new AtomicLong();

  @Inject
  public BundleServices(
      Router router,
      Queries queries,
      Sessions sessions,
      Consumers consumers,
      Schedules schedules,
      Catalog catalog,
      Membership membership,
      ServerConfig config,
      Settings settings,
      EventFeeds feeds,
      LiveQueries liveQueries,
      UpdateForwarder updateForwarder,
      SubjectKeys subjectKeys,
      AuditLog audit,
      Availability availability,
      Metrics metrics) {
    this.router = router;
    this.queries = queries;
    this.sessions = sessions;
    this.consumers = consumers;
    this.schedules = schedules;
    this.catalog = catalog;
    this.membership = membership;
    this.config = config;
    this.settings = settings;
    this.feeds = feeds;
    this.liveQueries = liveQueries;
    this.updateForwarder = updateForwarder;
    this.subjectKeys = subjectKeys;
    this.audit = audit;
    this.availability = availability;
    traffic = new SessionTraffic(metrics);
  }
}
