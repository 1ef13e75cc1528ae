package io.evento.sample.bank.web;

import static java.util.concurrent.TimeUnit.SECONDS;

import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.CommandOptions;
import io.evento.bundle.gateway.QueryGateway;
import io.evento.bundle.gateway.QueryOptions;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import io.evento.sample.bank.account.AccountCommand.CloseAccount;
import io.evento.sample.bank.account.AccountCommand.Deposit;
import io.evento.sample.bank.account.AccountCommand.OpenAccount;
import io.evento.sample.bank.account.AccountCommand.Withdraw;
import io.evento.sample.bank.account.AccountQuery.ListAccounts;
import io.evento.sample.bank.account.AccountQuery.Page;
import io.evento.sample.bank.account.AccountQuery.Sums;
import io.evento.sample.bank.account.AccountQuery.Totals;
import io.evento.sample.bank.account.Accounts;
import io.evento.sample.bank.nickname.NicknameCommand.ChooseNickname;
import io.evento.sample.bank.transfer.TransferCommand.RequestTransfer;
import io.evento.sample.bank.transfer.TransferQuery.ListTransfers;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;

/** The bank's door for people: a page, and the few JSON calls that it makes. */
public final class WebEdge implements AutoCloseable {
  // The page asks again every second: an answer that takes longer is of no use to it.
  private static final QueryOptions SOON = QueryOptions.within(Duration.ofSeconds(2));

  private final EventoBundle bundle;
  private final CommandGateway commands;
  private final QueryGateway queries;
  private final Traffic traffic;
  private final Cluster cluster;
  private final LiveTotals live;
  private final HttpServer server;
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(16, 16, 30, SECONDS, new LinkedBlockingQueue<>(256));

  private WebEdge(EventoBundle bundle, Traffic traffic, Cluster cluster, HttpServer server) {
    this.bundle = bundle;
    this.commands = bundle.commands();
    this.queries = bundle.queries();
    this.traffic = traffic;
    this.cluster = cluster;
    this.live = new LiveTotals(bundle);
    this.server = server;
  }

  /**
   * @throws IOException if the port is taken
   */
  public static WebEdge open(
      InetSocketAddress address, EventoBundle bundle, Traffic traffic, Cluster cluster)
      throws IOException {
    // Without it, an answer on a kept connection waits up to 40 ms for the browser's ACK.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    var edge = new WebEdge(bundle, traffic, cluster, HttpServer.create(address, 64));
    edge.start();
    return edge;
  }

  private void start() {
    context("/", new StaticFiles());
    context("/api/totals/live", live);
    context("/health", new JsonDoor().get("/health", call -> health()));
    context(
        "/api/",
        new JsonDoor()
            .get("/api/totals", call -> totals())
            .get("/api/accounts", call -> accounts(call))
            .post("/api/open", call -> send(call, OpenAccount.class))
            .get("/api/transfers", call -> transfers(call))
            .post("/api/deposit", call -> send(call, Deposit.class))
            .post("/api/withdraw", call -> send(call, Withdraw.class))
            .post("/api/transfer", call -> send(call, RequestTransfer.class))
            .post("/api/nickname", call -> send(call, ChooseNickname.class))
            .post("/api/close", call -> send(call, CloseAccount.class))
            .get("/api/nodes", call -> cluster.view())
            .post("/api/control", call -> cluster.control(call.body(Cluster.Order.class)))
            .get("/api/traffic", call -> traffic.view())
            .post("/api/traffic", call -> traffic.follow(call.body(Traffic.Wish.class))));
    threads.allowCoreThreadTimeOut(true);
    server.setExecutor(threads);
    server.start();
  }

  private void context(String path, HttpHandler handler) {
    server.createContext(path, handler).getFilters().add(new ForeignPages());
  }

  /** Each click has an id; used as the command's, it makes a repeated request harmless. */
  private Object send(JsonDoor.Call call, Class<?> command) throws IOException {
    var options = CommandOptions.options();
    var wanted = call.body(command);
    refuseForgedTransfer(wanted);
    return commands.send(wanted, call.id().map(options::withId).orElse(options));
  }

  /** Half a transfer would look like money that never arrives. */
  private static void refuseForgedTransfer(Object command) {
    var reference =
        command instanceof Deposit deposit
            ? deposit.reference()
            : command instanceof Withdraw withdraw ? withdraw.reference() : "";
    if (reference.startsWith(Accounts.TRANSFER)) {
      throw new IllegalArgumentException(
          "reference must not begin with " + Accounts.TRANSFER + ": transfers say so");
    }
  }

  private Object transfers(JsonDoor.Call call) {
    // As it came: the page reads times as the SDK writes them.
    return queries.ask(new ListTransfers(call.number("limit", 10)), Map.class, SOON);
  }

  private Object accounts(JsonDoor.Call call) {
    var query = new ListAccounts(call.number("limit", 20), call.parameter("after", ""));
    return queries.ask(query, Page.class, SOON);
  }

  private Object totals() {
    return Invariant.of(queries.ask(new Totals(), Sums.class, SOON));
  }

  private Object health() {
    if (!bundle.isConnected()) {
      throw new EventoException(ErrorCode.UNAVAILABLE, "no node of the cluster is connected");
    }
    return Map.of("status", "UP");
  }

  public String url() {
    var address = server.getAddress();
    return "http://" + address.getHostString() + ":" + address.getPort() + "/";
  }

  @Override
  public void close() {
    live.close();
    server.stop(1);
    threads.shutdown();
  }
}
