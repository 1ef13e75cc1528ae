package io.evento.sample.bank.compliance;

import io.evento.bundle.api.CommandHandler;
import io.evento.bundle.api.CommandMetadata;
import io.evento.bundle.api.Service;
import java.io.IOException;

/**
 * A service does what no database transaction can take back: here it writes to a file that others
 * read. After a crash Evento may run a command again, under the same id, which is how the file
 * knows that it has the line already.
 */
@Service(context = "bank")
public class Compliance {
  private final ComplianceFile file;

  public Compliance(ComplianceFile file) {
    this.file = file;
  }

  @CommandHandler
  long write(NotifyCompliance command, CommandMetadata metadata) throws IOException {
    return file.append(metadata.commandId(), command);
  }
}
