package io.evento.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ServerConfigTest {

  @ParameterizedTest
  @CsvSource({
    "//a:5432/evento,                            ''",
    "'//a,b/evento',                             ?targetServerType=primary",
    "'//a:1,b:2/evento?ssl=true',                &targetServerType=primary",
    "'//a,b/evento?targetServerType=any',        ''",
    "'//a,b/evento?hostRecheckSeconds=1',        &targetServerType=primary",
    "'//a/evento?options=x,y',                   ''"
  })
  void of_several_hosts_the_primary_is_wanted_unless_the_url_says_otherwise(
      String url, String added) {
    var whole = "jdbc:postgresql:" + url;
    var config =
        new ServerConfig.Database(
            whole, "server", "", Optional.empty(), Optional.empty(), Optional.empty(), 4, false);
    assertThat(config.url()).isEqualTo(whole + added);
  }
}
