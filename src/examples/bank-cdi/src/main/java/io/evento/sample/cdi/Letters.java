package io.evento.sample.cdi;

import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.Service;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.context.RequestScoped;
import jakarta.inject.Inject;
import jakarta.transaction.Transactional;
import java.util.ArrayList;
import java.util.List;

/** A service with an interceptor, and with a bean of the request that each command is. */
@ApplicationScoped
@Service(context = "bank-cdi")
public class Letters {
  public record WriteLetter(String to, String text) {}

  /** Made anew for each command. */
  @RequestScoped
  public static class Page {
    private final List<String> lines = new ArrayList<>();

    void add(String line) {
      lines.add(line);
    }

    String text() {
      return String.join("\n", lines);
    }
  }

  @Inject private Page page;

  @CommandHandler
  @Transactional
  public String write(WriteLetter command) {
    page.add("Dear " + command.to() + ",");
    page.add(command.text());
    return page.text();
  }
}
