package io.evento.sample.spring;

import io.evento.bundle.gateway.CommandGateway;
import io.evento.bundle.gateway.QueryGateway;
import io.evento.bundle.gateway.QueryOptions;
import io.evento.sample.spring.Wallet.OpenWallet;
import io.evento.sample.spring.Wallet.PutIn;
import io.evento.sample.spring.Wallet.TakeOut;
import io.evento.sample.spring.Wallets.FindWallet;
import io.evento.sample.spring.Wallets.WalletView;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** The bank's own door. What the cluster refuses becomes a problem, without a catch here. */
@RestController
@RequestMapping("/api/wallets/{id}")
public class WalletController {
  private final CommandGateway commands;
  private final QueryGateway queries;

  public WalletController(CommandGateway commands, QueryGateway queries) {
    this.commands = commands;
    this.queries = queries;
  }

  @PostMapping
  public WalletView open(@PathVariable String id, @RequestParam String owner) {
    return after(id, new OpenWallet(id, owner));
  }

  @PostMapping("/in")
  public WalletView putIn(@PathVariable String id, @RequestParam long amount) {
    return after(id, new PutIn(id, amount));
  }

  @PostMapping("/out")
  public WalletView takeOut(@PathVariable String id, @RequestParam long amount) {
    return after(id, new TakeOut(id, amount));
  }

  @GetMapping
  public WalletView find(@PathVariable String id) {
    return queries.ask(new FindWallet(id), WalletView.class);
  }

  /** The wallet as it is once the read model has seen what the command did. */
  private WalletView after(String id, Object command) {
    var after = QueryOptions.after(commands.send(command));
    return queries.ask(new FindWallet(id), WalletView.class, after);
  }
}
