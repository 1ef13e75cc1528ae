package io.evento.server.console.telemetry;

import io.evento.server.NodeScoped;
import io.evento.server.catalog.Ownership;
import io.evento.server.cluster.Drains;
import io.evento.server.cluster.NodeRow;
import io.evento.server.console.AdminCalls;
import io.evento.server.monitor.AlarmKind;
import io.evento.server.monitor.AlarmTable;
import io.evento.server.persistence.EntityManagers;
import jakarta.inject.Inject;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What happened to the cluster, for the time axis of charts: causes beside their effects. It is
 * read from what the tables of each room keep anyway. Blocks on the database.
 */
@NodeScoped
public class Annotations {
  /** The newest of all. */
  private static final int MAX = 100;

  private static final int ALARMS_MAX = 500;

  private final EntityManagers managers;
  private final Ownership ownership;
  private final AlarmTable alarms;
  private final Drains drains;

  @Inject
  public Annotations(
      EntityManagers managers, Ownership ownership, AlarmTable alarms, Drains drains) {
    this.managers = managers;
    this.ownership = ownership;
    this.alarms = alarms;
    this.drains = drains;
  }

  /**
   * Something that happened.
   *
   * @param at RFC 3339
   * @param kind {@code node-joined}, {@code node-left}, {@code node-drained}, {@code
   *     consumer-reset}, {@code consumer-switched}, {@code setting-changed} or {@code
   *     bundle-declared}
   * @param subject the node, setting or bundle, or the consumer with its version, {@code
   *     accounts:1}
   * @param text what happened, in a few words
   */
  record Annotation(String at, String kind, String subject, String text) {}

  /** Of a time, the newest first; 100 at most. */
  List<Annotation> between(OffsetDateTime from, OffsetDateTime to) {
    var found = new ArrayList<Dated>();
    nodes(from, to, found);
    consumers(from, to, found);
    settings(from, to, found);
    declarations(from, to, found);
    return found.stream()
        .sorted(Comparator.comparing(Dated::at).reversed())
        .limit(MAX)
        .map(one -> new Annotation(AdminCalls.time(one.at), one.kind, one.subject, one.text))
        .toList();
  }

  private record Dated(OffsetDateTime at, String kind, String subject, String text) {
    boolean isBetween(OffsetDateTime from, OffsetDateTime to) {
      return !at.isBefore(from) && !at.isAfter(to);
    }
  }

  private void nodes(OffsetDateTime from, OffsetDateTime to, List<Dated> found) {
    var all = new ArrayList<Dated>();
    var rows =
        managers.read(
            manager ->
                manager.createQuery("select n from NodeRow n", NodeRow.class).getResultList());
    for (var row : rows) {
      all.add(new Dated(row.startedAt(), "node-joined", row.name(), row.name() + " has joined"));
      if (row.state().equals("gone")) {
        all.add(new Dated(row.seenAt(), "node-left", row.name(), row.name() + " has left"));
      }
    }
    for (var wish : drains.all()) {
      all.add(new Dated(wish.askedAt(), "node-drained", wish.node(), wish.node() + " is drained"));
    }
    for (var alarm : alarms.page(false, Long.MAX_VALUE, ALARMS_MAX)) {
      if (alarm.kind().equals(AlarmKind.NODE_GONE.wire())) {
        all.add(
            new Dated(
                alarm.since(),
                "node-left",
                alarm.subject(),
                alarm.subject() + " went without a word"));
      }
    }
    all.stream().filter(one -> one.isBetween(from, to)).forEach(found::add);
  }

  private void consumers(OffsetDateTime from, OffsetDateTime to, List<Dated> found) {
    managers
        .read(
            manager ->
                manager
                    .createQuery(
                        "select a.at, a.name, a.version, a.action from ConsumerAuditRow a"
                            + " where a.action in ('reset', 'switch')"
                            + " and a.at between :from and :to order by a.id desc",
                        Object[].class)
                    .setParameter("from", from)
                    .setParameter("to", to)
                    .setMaxResults(MAX)
                    .getResultList())
        .forEach(
            row -> {
              var isReset = row[3].equals("reset");
              found.add(
                  new Dated(
                      (OffsetDateTime) row[0],
                      isReset ? "consumer-reset" : "consumer-switched",
                      row[1] + ":" + row[2],
                      row[1]
                          + " "
                          + row[2]
                          + (isReset ? " was reset" : " became the live version")));
            });
  }

  private void settings(OffsetDateTime from, OffsetDateTime to, List<Dated> found) {
    managers
        .read(
            manager ->
                manager
                    .createQuery(
                        "select s.changedAt, s.key, s.oldValue, s.newValue from SettingAuditRow s"
                            + " where s.changedAt between :from and :to order by s.id desc",
                        Object[].class)
                    .setParameter("from", from)
                    .setParameter("to", to)
                    .setMaxResults(MAX)
                    .getResultList())
        .forEach(
            row ->
                found.add(
                    new Dated(
                        (OffsetDateTime) row[0],
                        "setting-changed",
                        (String) row[1],
                        row[1] + " was " + said(row[2]) + ", is " + said(row[3]))));
  }

  private static String said(@Nullable Object value) {
    return value == null ? "the default" : value.toString();
  }

  /** What a bundle declares when it connects is one thing that happened. */
  private void declarations(OffsetDateTime from, OffsetDateTime to, List<Dated> found) {
    var byBundle = new LinkedHashMap<String, List<Ownership.Declared>>();
    for (var one : ownership.declared(from, to)) {
      byBundle
          .computeIfAbsent(
              one.bundle() + ' ' + one.at().truncatedTo(ChronoUnit.MINUTES),
              first -> new ArrayList<>())
          .add(one);
    }
    for (var together : byBundle.values()) {
      var last = together.get(together.size() - 1);
      var more = together.size() - 1;
      found.add(
          new Dated(
              last.at(),
              "bundle-declared",
              last.bundle(),
              last.bundle()
                  + " declared "
                  + last.name()
                  + (last.version() > 0 ? " " + last.version() : "")
                  + (more == 0 ? "" : " and " + more + " more")));
    }
  }
}
