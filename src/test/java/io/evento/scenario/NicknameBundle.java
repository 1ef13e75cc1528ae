package io.evento.scenario;

import static io.evento.bundle.Decision.accept;
import static io.evento.bundle.Decision.nothing;
import static io.evento.bundle.Decision.reject;

import io.evento.bundle.AggregateId;
import io.evento.bundle.Boundary;
import io.evento.bundle.CommandHandler;
import io.evento.bundle.Criteria;
import io.evento.bundle.Decision;
import io.evento.bundle.EventSourcingHandler;
import io.evento.bundle.EventoBundle;
import io.evento.bundle.InitialState;
import io.evento.bundle.Reads;
import io.evento.bundle.Tag;
import java.util.Locale;

/** A bundle with a rule over many streams: a nickname has one player, and a player one nickname. */
final class NicknameBundle implements AutoCloseable {
  record ChooseNickname(
      @AggregateId @Tag("player") String player, @Tag("nickname") String nickname) {
    ChooseNickname {
      nickname = nickname.toLowerCase(Locale.ROOT);
    }
  }

  record DropNickname(@AggregateId String player) {}

  sealed interface NicknameEvent permits NicknameChosen, NicknameDropped {}

  record NicknameChosen(@Tag("player") String player, @Tag("nickname") String nickname)
      implements NicknameEvent {}

  record NicknameDropped(@Tag("player") String player, @Tag("nickname") String nickname)
      implements NicknameEvent {}

  /**
   * @param wanted in lower case; empty where none is
   * @param mine empty if the player has none
   * @param holder of the wanted one; empty if nobody has it
   */
  @Boundary(context = "probe")
  record Nicknames(String player, String wanted, String mine, String holder) {
    @InitialState
    static Nicknames of(ChooseNickname command) {
      return new Nicknames(command.player(), command.nickname(), "", "");
    }

    @InitialState
    static Nicknames of(DropNickname command) {
      return new Nicknames(command.player(), "", "", "");
    }

    @Reads
    static Criteria reads(DropNickname command) {
      return Criteria.tagged("player", command.player());
    }

    @CommandHandler
    Decision<NicknameEvent> choose(ChooseNickname command) {
      if (mine.equals(command.nickname())) {
        return nothing();
      }
      if (!holder.isEmpty()) {
        return reject("taken", "by", holder);
      }
      var chosen = new NicknameChosen(player, wanted);
      return mine.isEmpty() ? accept(chosen) : accept(new NicknameDropped(player, mine), chosen);
    }

    @CommandHandler
    Decision<NicknameEvent> drop(DropNickname command) {
      return mine.isEmpty() ? nothing() : accept(new NicknameDropped(player, mine));
    }

    @EventSourcingHandler
    Nicknames chosen(NicknameChosen event) {
      return new Nicknames(
          player,
          wanted,
          event.player().equals(player) ? event.nickname() : mine,
          event.nickname().equals(wanted) ? event.player() : holder);
    }

    @EventSourcingHandler
    Nicknames dropped(NicknameDropped event) {
      return new Nicknames(
          player,
          wanted,
          event.player().equals(player) ? "" : mine,
          event.nickname().equals(wanted) ? "" : holder);
    }
  }

  private final EventoBundle bundle;

  private NicknameBundle(String[] servers) {
    bundle = EventoBundle.named("nicknames").connect(servers).register(Nicknames.class).start();
  }

  /** Connected to every node. */
  static NicknameBundle start(Cluster cluster) {
    return new NicknameBundle(
        cluster.nodes().stream().map(cluster::webSocket).toArray(String[]::new));
  }

  @Override
  public void close() {
    bundle.close();
  }
}
