package io.evento.launcher;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Runs {@code docker/roles.sql} without psql: fills in its variables and sends it whole. */
public final class Roles {

  private static final Pattern VARIABLE = Pattern.compile(":('(\\w+)'|\"(\\w+)\")");

  private Roles() {}

  /**
   * @param administrator a superuser's connection to the database itself
   * @param script the text of {@code roles.sql}
   */
  public static void create(
      Connection administrator, Login owner, Login server, Login bank, String script)
      throws SQLException {
    var values =
        Map.of(
            "owner_password", owner.password(),
            "server_password", server.password(),
            "bank_password", bank.password(),
            "DBNAME", administrator.getCatalog());
    try (var statement = administrator.createStatement()) {
      statement.execute(filled(script, values));
    }
  }

  /** {@code :'name'} becomes a literal and {@code :"name"} an identifier, as psql does it. */
  static String filled(String script, Map<String, String> values) {
    return VARIABLE.matcher(script).replaceAll(match -> replacement(match, values));
  }

  private static String replacement(MatchResult match, Map<String, String> values) {
    var literal = match.group(2) != null;
    var name = literal ? match.group(2) : match.group(3);
    var value = values.get(name);
    if (value == null) {
      throw new IllegalArgumentException("roles.sql asks for " + name + ", which nobody gives");
    }
    var quote = literal ? "'" : "\"";
    return Matcher.quoteReplacement(quote + value.replace(quote, quote + quote) + quote);
  }
}
