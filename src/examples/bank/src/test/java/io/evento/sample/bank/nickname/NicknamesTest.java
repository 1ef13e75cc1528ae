package io.evento.sample.bank.nickname;

import io.evento.sample.bank.nickname.NicknameEvent.NicknameChosen;
import io.evento.sample.bank.nickname.NicknameEvent.NicknameReleased;
import io.evento.sample.bank.nickname.Nicknames.FindNickname;
import io.evento.sample.bank.nickname.Nicknames.NicknameView;
import io.evento.testkit.ProjectorFixture;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import org.junit.jupiter.api.Test;

class NicknamesTest {
  @Test
  void a_name_that_was_given_up_is_found_at_its_next_owner() throws Exception {
    try (var postgres = EmbeddedPostgres.start()) {
      var database = postgres.getPostgresDatabase();
      Nicknames.createTable(database);
      ProjectorFixture.of(new Nicknames(), database)
          .given(Nickname.class, "ada", new NicknameChosen("a-1", "ada"))
          .thenAnswers(new FindNickname("ada"), new NicknameView("ada", "a-1"))
          .given(
              Nickname.class,
              "countess",
              new NicknameReleased("a-1", "ada"),
              new NicknameChosen("a-1", "countess"))
          .thenAnswers(new FindNickname("ada"), null)
          .given(Nickname.class, "ada", new NicknameChosen("a-2", "ada"))
          .thenAnswers(new FindNickname("ada"), new NicknameView("ada", "a-2"));
    }
  }
}
