package io.evento.server.gateway.health;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An answer in MicroProfile Health's JSON shape. */
public record Health(String status, List<Check> checks) {

  /**
   * @param data what there is to say: the {@code reason} of a check that is down, or a state
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Check(String name, String status, @Nullable Map<String, String> data) {
    static Check of(String name, boolean up) {
      return new Check(name, up ? "UP" : "DOWN", null);
    }

    Check telling(String key, String value) {
      return new Check(name, status, Map.of(key, value));
    }

    /** Says why it is down; nothing while it is up. */
    Check because(String reason) {
      return isUp() ? this : telling("reason", reason);
    }

    @JsonIgnore
    boolean isUp() {
      return status.equals("UP");
    }
  }

  static Health of(Check... checks) {
    var all = List.of(checks);
    return new Health(all.stream().allMatch(Check::isUp) ? "UP" : "DOWN", all);
  }

  /** The status of HTTP that says the same. */
  public int code() {
    return status.equals("UP") ? 200 : 503;
  }
}
