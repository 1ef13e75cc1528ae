package io.evento.bench;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ThreadLocalRandom;

/**
 * What callers without an SDK get: commands and queries over HTTP, at one node and by the balancer,
 * on connections that stay and, once, on one for each call. Begins with what a cluster that has
 * just become ready does in its first ten seconds, which says something only if it has.
 */
final class HttpDoor {
  private static final int MANY = Integer.getInteger("bench.http.callers", 32);
  private static final Duration FIRST = Duration.ofSeconds(10);

  private final Target target;
  private final List<String> accounts = new CopyOnWriteArrayList<>();

  HttpDoor(Target target) {
    this.target = target;
  }

  void run(Duration leadIn, Duration length) throws InterruptedException {
    var balancer = target.balancer();
    var node = target.doors().get(0);
    var run = UUID.randomUUID().toString().substring(0, 8);
    new Load("http, first 10 s, " + MANY + " callers", MANY, target)
        .run(Duration.ZERO, FIRST, caller -> opening(run, caller, balancer));
    for (var callers : new int[] {MANY, 1}) {
      var who = callers == 1 ? ", 1 caller" : ", " + callers + " callers";
      for (var door : List.of(node, balancer)) {
        var where = door.equals(node) ? ", one node" : ", balancer";
        new Load("http commands" + who + where, callers, target)
            .run(leadIn, length, caller -> deposits(new HttpCaller(door, true)));
        new Load("http queries" + who + where, callers, target)
            .run(leadIn, length, caller -> views(new HttpCaller(door, true)));
      }
    }
    new Load("http queries, " + MANY + " callers, each call connects", MANY, target)
        .run(leadIn, length, caller -> views(new HttpCaller(node, false)));
  }

  private Load.Call opening(String run, int caller, URI door) {
    var http = new HttpCaller(door, true);
    var count = new int[1];
    return () -> {
      var account = "http-" + run + "-" + caller + "-" + count[0]++;
      http.post(
          "/evento/api/commands/OpenAccount",
          "{\"accountId\":\"" + account + "\",\"owner\":\"bench\"}");
      accounts.add(account);
    };
  }

  private Load.Call deposits(HttpCaller http) {
    return () ->
        http.post(
            "/evento/api/commands/Deposit",
            "{\"accountId\":\"" + any() + "\",\"amount\":1,\"reference\":\"\"}");
  }

  private Load.Call views(HttpCaller http) {
    return () -> http.post("/evento/api/queries/FindAccount", "{\"accountId\":\"" + any() + "\"}");
  }

  private String any() {
    return accounts.get(ThreadLocalRandom.current().nextInt(accounts.size()));
  }
}
