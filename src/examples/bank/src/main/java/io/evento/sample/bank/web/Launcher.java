package io.evento.sample.bank.web;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.evento.protocol.ErrorCode;
import io.evento.protocol.EventoException;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The control door of the launcher that started this bank and the cluster around it. */
final class Launcher {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpClient http;
  private final URI door;

  Launcher(HttpClient http, URI door) {
    this.http = http;
    this.door = door;
  }

  /** The nodes and banks that it started, dead or alive. */
  List<Process> processes() {
    var cluster = call(HttpRequest.newBuilder(door.resolve("/")), Duration.ofSeconds(1));
    var processes = new ArrayList<Process>();
    for (var node : cluster.path("nodes")) {
      processes.add(Process.node(text(node, "id"), text(node, "url"), isAlive(node)));
    }
    for (var bundle : cluster.path("bundles")) {
      processes.add(Process.bank(text(bundle, "id"), text(bundle, "url"), isAlive(bundle)));
    }
    return processes;
  }

  void carryOut(Cluster.Order order) {
    var path = "/" + order.id() + "/" + order.action();
    call(
        HttpRequest.newBuilder(door.resolve(path)).POST(BodyPublishers.noBody()),
        Duration.ofSeconds(10));
  }

  private JsonNode call(HttpRequest.Builder request, Duration patience) {
    try {
      var answer = http.send(request.timeout(patience).build(), BodyHandlers.ofString());
      var body = JSON.readTree(answer.body());
      if (answer.statusCode() >= 300) {
        throw new EventoException(
            ErrorCode.ofStatus(answer.statusCode()),
            "the launcher says: " + body.path("detail").asText("nothing"));
      }
      return body;
    } catch (IOException gone) {
      throw new EventoException(ErrorCode.UNAVAILABLE, "the launcher does not answer");
    } catch (InterruptedException closing) {
      Thread.currentThread().interrupt();
      throw new EventoException(ErrorCode.UNAVAILABLE, "the bank is closing");
    }
  }

  private static boolean isAlive(JsonNode process) {
    return process.path("pid").isNumber();
  }

  private static String text(JsonNode process, String field) {
    return process.path(field).asText();
  }
}
