package io.evento.scenario.workload;

import static io.evento.bundle.api.Decision.accept;
import static io.evento.bundle.api.Decision.nothing;
import static io.evento.bundle.api.Decision.reject;

import io.evento.bundle.EventoBundle;
import io.evento.bundle.api.AggregateId;
import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Criteria;
import io.evento.bundle.api.CriteriaBuilder;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InitialState;
import io.evento.bundle.api.Tag;
import io.evento.scenario.fixture.Cluster;
import java.util.Locale;

/** A bundle with a rule over many streams: a nickname has one player, and a player one nickname. */
public final class NicknameBundle implements AutoCloseable {
  public record ChoosePlayerName(
      @AggregateId @Tag("player") String player, @Tag("nickname") String nickname) {
    public ChoosePlayerName {
      nickname = nickname.toLowerCase(Locale.ROOT);
    }
  }

  public record DropPlayerName(@AggregateId String player) {}

  public sealed interface PlayerNameEvent permits PlayerNameChosen, PlayerNameDropped {}

  public record PlayerNameChosen(@Tag("player") String player, @Tag("nickname") String nickname)
      implements PlayerNameEvent {}

  public record PlayerNameDropped(@Tag("player") String player, @Tag("nickname") String nickname)
      implements PlayerNameEvent {}

  /**
   * @param wanted in lower case; empty where none is
   * @param mine empty if the player has none
   * @param holder of the wanted one; empty if nobody has it
   */
  @Boundary(context = "probe")
  public record PlayerNames(String player, String wanted, String mine, String holder) {
    @InitialState
    public static PlayerNames of(ChoosePlayerName command) {
      return new PlayerNames(command.player(), command.nickname(), "", "");
    }

    @InitialState
    public static PlayerNames of(DropPlayerName command) {
      return new PlayerNames(command.player(), "", "", "");
    }

    @CriteriaBuilder
    public static Criteria reads(DropPlayerName command) {
      return Criteria.tagged("player", command.player());
    }

    @CommandHandler
    public Decision<PlayerNameEvent> choose(ChoosePlayerName command) {
      if (mine.equals(command.nickname())) {
        return nothing();
      }
      if (!holder.isEmpty()) {
        return reject("taken", "by", holder);
      }
      var chosen = new PlayerNameChosen(player, wanted);
      return mine.isEmpty() ? accept(chosen) : accept(new PlayerNameDropped(player, mine), chosen);
    }

    @CommandHandler
    public Decision<PlayerNameEvent> drop(DropPlayerName command) {
      return mine.isEmpty() ? nothing() : accept(new PlayerNameDropped(player, mine));
    }

    @EventSourcingHandler
    public PlayerNames chosen(PlayerNameChosen event) {
      return new PlayerNames(
          player,
          wanted,
          event.player().equals(player) ? event.nickname() : mine,
          event.nickname().equals(wanted) ? event.player() : holder);
    }

    @EventSourcingHandler
    public PlayerNames dropped(PlayerNameDropped event) {
      return new PlayerNames(
          player,
          wanted,
          event.player().equals(player) ? "" : mine,
          event.nickname().equals(wanted) ? "" : holder);
    }
  }

  private final EventoBundle bundle;

  private NicknameBundle(String[] servers) {
    bundle = EventoBundle.named("nicknames").connect(servers).register(PlayerNames.class).start();
  }

  /** Connected to every node. */
  public static NicknameBundle start(Cluster cluster) {
    return new NicknameBundle(
        cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new));
  }

  @Override
  public void close() {
    bundle.close();
  }
}
