package io.evento.sample.bank.nickname;

import io.evento.bundle.api.Tag;
import java.util.Locale;
import java.util.regex.Pattern;

/** What can be asked about nicknames; {@link Nickname} decides it. */
public sealed interface NicknameCommand {

  /**
   * From now on the account is known by this name, and by no other one. Refused with {@code
   * nickname-taken}.
   *
   * @param nickname 2 to 30 letters, digits, hyphens; upper case is as good as lower case
   */
  record ChooseNickname(@Tag("account") String accountId, @Tag String nickname)
      implements NicknameCommand {
    private static final Pattern FORM = Pattern.compile("[\\p{L}\\p{N}-]{2,30}");

    public ChooseNickname {
      if (accountId == null || accountId.isEmpty()) {
        throw new IllegalArgumentException("accountId is required");
      }
      if (nickname == null || !FORM.matcher(nickname).matches()) {
        throw new IllegalArgumentException("nickname must have 2 to 30 letters, digits or hyphens");
      }
      nickname = nickname.toLowerCase(Locale.ROOT);
    }
  }
}
