package io.evento.cluster;

import io.evento.launcher.Launch;
import io.evento.launcher.Member;
import io.evento.launcher.Readiness;
import io.evento.launcher.Signal;
import java.net.URI;
import java.net.http.HttpClient;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * The places of a cluster, empty at first.
 *
 * @param postgres empty if the database is somebody else's
 */
record Members(
    Optional<Member> postgres, List<Member> nodes, Member balancer, List<Member> bundles) {

  static final String POSTGRES = "postgres";

  private static final String READY = "/evento/api/health/ready";

  static Members of(ClusterPlan plan, Optional<PostgresServer> server, Member.Watcher watcher) {
    var commands = new Commands(plan);
    // A question that a starting node never answers would block the one connection of HTTP/2.
    var clients =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Readiness.ANSWER_MAX);
    plan.hardening().ifPresent(with -> clients.sslContext(with.trusting()));
    var http = clients.build();
    return new Members(
        server.map(
            own ->
                new Member(
                    POSTGRES,
                    plan.database().url(),
                    own.launch(commands.log(POSTGRES)),
                    own::answers,
                    Signal.INT,
                    watcher)),
        IntStream.rangeClosed(1, plan.nodes())
            .mapToObj(
                number ->
                    answering(
                        "node-" + number,
                        commands.nodeUrl(number),
                        READY,
                        commands.node(number),
                        http,
                        watcher))
            .toList(),
        answering(
            Commands.BALANCER, commands.balancerUrl(), READY, commands.balancer(), http, watcher),
        IntStream.rangeClosed(1, plan.bundles())
            .mapToObj(
                number ->
                    answering(
                        "bank-" + number,
                        commands.bundleUrl(number),
                        "/health",
                        commands.bundle(number),
                        http,
                        watcher))
            .toList());
  }

  List<Member> all() {
    return Stream.of(postgres.stream(), nodes.stream(), Stream.of(balancer), bundles.stream())
        .flatMap(each -> each)
        .toList();
  }

  private static Member answering(
      String id,
      String url,
      String readyPath,
      Launch launch,
      HttpClient http,
      Member.Watcher watcher) {
    return new Member(
        id, url, launch, Readiness.http(http, URI.create(url + readyPath)), Signal.TERM, watcher);
  }
}
