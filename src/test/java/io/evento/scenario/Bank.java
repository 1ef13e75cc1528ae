package io.evento.scenario;

import static org.awaitility.Awaitility.await;

import io.evento.launcher.Member;
import io.evento.protocol.Rendezvous;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/** One account and what happens to it, in few words. */
final class Bank {

  private final Cluster cluster;
  private final String account;

  private Bank(Cluster cluster, String account) {
    this.cluster = cluster;
    this.account = account;
  }

  /** A new account, open and empty. */
  static Bank account(Cluster cluster) throws InterruptedException {
    return opened(cluster, "one-" + UUID.randomUUID());
  }

  /** A new account whose stream belongs to this node while all are up. */
  static Bank accountOf(Cluster cluster, Member owner) throws InterruptedException {
    var nodes = cluster.nodes().stream().map(Member::id).toList();
    var name =
        Stream.generate(() -> "one-" + UUID.randomUUID())
            .filter(
                id -> Rendezvous.choose("Account:" + id, nodes).orElseThrow().equals(owner.id()))
            .findFirst()
            .orElseThrow();
    return opened(cluster, name);
  }

  private static Bank opened(Cluster cluster, String name) throws InterruptedException {
    var bank = new Bank(cluster, name);
    var door = cluster.door(cluster.balancer());
    var id = UUID.randomUUID();
    await("account opened")
        .atMost(Duration.ofSeconds(20))
        .until(() -> door.command("OpenAccount", id, bank.owner()).isSuccess());
    return bank;
  }

  private Map<String, ?> owner() {
    return Map.of("accountId", account, "owner", "Ada");
  }

  String account() {
    return account;
  }

  Map<String, ?> money(long amount) {
    return Map.of("accountId", account, "amount", amount, "reference", "one");
  }

  String moneyText(long amount) {
    return "{\"accountId\":\"%s\",\"amount\":%d,\"reference\":\"one\"}".formatted(account, amount);
  }

  Answer deposit(Member at, long amount) throws InterruptedException {
    return send(at, "Deposit", UUID.randomUUID(), amount);
  }

  Answer withdraw(Member at, long amount) throws InterruptedException {
    return send(at, "Withdraw", UUID.randomUUID(), amount);
  }

  Answer withdraw(Member at, UUID id, long amount) throws InterruptedException {
    return send(at, "Withdraw", id, amount);
  }

  /** Repeats under the same id until there is an outcome. */
  private Answer send(Member at, String type, UUID id, long amount) throws InterruptedException {
    var door = cluster.door(at);
    return await(type + " has an outcome")
        .atMost(Duration.ofSeconds(20))
        .until(() -> door.command(type, id, money(amount)), Answer::isFinal);
  }

  /** Types and versions of the stream, oldest first, as a node tells them. */
  String story(Member at) throws InterruptedException {
    var page = cluster.door(at).get("streams/Account/" + account);
    var story = new StringBuilder();
    page.body()
        .path("events")
        .forEach(
            event ->
                story
                    .append(event.path("version").asLong())
                    .append(' ')
                    .append(event.path("type").asText())
                    .append(
                        event.path("payload").has("amount")
                            ? " " + event.path("payload").path("amount").asLong()
                            : "")
                    .append("; "));
    return story.toString();
  }
}
