package io.evento.sample.bank.nickname;

import io.evento.bundle.api.Tag;

/** What happened to nicknames. Each event is found by its account and by its name. */
public sealed interface NicknameEvent {

  record NicknameChosen(@Tag("account") String accountId, @Tag String nickname)
      implements NicknameEvent {}

  /** Another account may have it now. */
  record NicknameReleased(@Tag("account") String accountId, @Tag String nickname)
      implements NicknameEvent {}
}
