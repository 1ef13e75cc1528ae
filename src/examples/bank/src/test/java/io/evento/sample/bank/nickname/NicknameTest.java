package io.evento.sample.bank.nickname;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.evento.sample.bank.nickname.NicknameCommand.ChooseNickname;
import io.evento.sample.bank.nickname.NicknameEvent.NicknameChosen;
import io.evento.sample.bank.nickname.NicknameEvent.NicknameReleased;
import io.evento.testkit.BoundaryFixture;
import org.junit.jupiter.api.Test;

class NicknameTest {
  private final BoundaryFixture<Nickname> nickname = BoundaryFixture.of(Nickname.class);

  @Test
  void a_nickname_belongs_to_one_account() {
    nickname
        .givenNothing()
        .when(new ChooseNickname("a-1", "Ada"))
        .thenEvents(new NicknameChosen("a-1", "ada"));
    nickname
        .given(new NicknameChosen("a-1", "ada"))
        .when(new ChooseNickname("a-2", "ADA"))
        .thenRejected("nickname-taken");
    nickname
        .given(new NicknameChosen("a-1", "ada"))
        .when(new ChooseNickname("a-1", "ada"))
        .thenNothing();
  }

  @Test
  void who_chooses_another_one_gives_up_the_first() {
    nickname
        .given(new NicknameChosen("a-1", "ada"))
        .when(new ChooseNickname("a-1", "countess"))
        .thenEvents(new NicknameReleased("a-1", "ada"), new NicknameChosen("a-1", "countess"));
    nickname
        .given(
            new NicknameChosen("a-1", "ada"),
            new NicknameReleased("a-1", "ada"),
            new NicknameChosen("a-1", "countess"))
        .when(new ChooseNickname("a-2", "ada"))
        .thenEvents(new NicknameChosen("a-2", "ada"));
  }

  @Test
  void a_nickname_has_2_to_30_letters_digits_or_hyphens() {
    assertEquals("zoë-2", new ChooseNickname("a-1", "Zoë-2").nickname());
    for (var wrong : new String[] {"a", "x".repeat(31), "a b", ""}) {
      var refused =
          assertThrows(IllegalArgumentException.class, () -> new ChooseNickname("a-1", wrong));
      assertEquals("nickname must have 2 to 30 letters, digits or hyphens", refused.getMessage());
    }
  }
}
