package io.evento.sample.bank.nickname;

import static io.evento.bundle.api.Decision.accept;
import static io.evento.bundle.api.Decision.nothing;
import static io.evento.bundle.api.Decision.reject;

import io.evento.bundle.api.Boundary;
import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Decision;
import io.evento.bundle.api.EventSourcingHandler;
import io.evento.bundle.api.InitialState;
import io.evento.sample.bank.nickname.NicknameCommand.ChooseNickname;
import io.evento.sample.bank.nickname.NicknameEvent.NicknameChosen;
import io.evento.sample.bank.nickname.NicknameEvent.NicknameReleased;

/**
 * No two accounts have the same nickname. No single stream can know that: the decision rests on
 * every event with this account's tag or with this nickname's, and is taken again if one more of
 * them comes before it is stored.
 *
 * @param accountId that wants a nickname
 * @param nickname that it wants
 * @param holder who has it; null if nobody has
 * @param present what the account is called until now; null if nothing
 */
@Boundary(context = "bank")
public record Nickname(String accountId, String nickname, String holder, String present) {

  @InitialState
  static Nickname of(ChooseNickname command) {
    return new Nickname(command.accountId(), command.nickname(), null, null);
  }

  @CommandHandler
  Decision<NicknameEvent> choose(ChooseNickname command) {
    if (accountId.equals(holder)) {
      return nothing();
    }
    if (holder != null) {
      return reject("nickname-taken");
    }
    var chosen = new NicknameChosen(accountId, nickname);
    return present == null
        ? accept(chosen)
        : accept(new NicknameReleased(accountId, present), chosen);
  }

  @EventSourcingHandler
  Nickname chosen(NicknameChosen event) {
    return new Nickname(
        accountId,
        nickname,
        event.nickname().equals(nickname) ? event.accountId() : holder,
        event.accountId().equals(accountId) ? event.nickname() : present);
  }

  @EventSourcingHandler
  Nickname released(NicknameReleased event) {
    return new Nickname(
        accountId,
        nickname,
        event.nickname().equals(nickname) ? null : holder,
        event.accountId().equals(accountId) ? null : present);
  }
}
