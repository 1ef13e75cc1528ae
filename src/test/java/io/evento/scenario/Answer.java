package io.evento.scenario;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.http.HttpHeaders;

/**
 * What a door said.
 *
 * @param status 0 if nothing was answered at all
 */
public record Answer(int status, HttpHeaders headers, JsonNode body) {

  public boolean isSuccess() {
    return status == 200;
  }

  /** The code of a problem, empty for a success. */
  public String code() {
    return body.path("code").asText("");
  }

  /** Whether a repeat with the same key would be told the same: a success or a rejection. */
  public boolean isFinal() {
    return isSuccess() || code().equals("rejected");
  }
}
