package io.evento.sample.bank.compliance;

import static java.nio.file.StandardOpenOption.APPEND;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ComplianceFileTest {
  private static final NotifyCompliance LARGE = new NotifyCompliance("a\n1", 1_000_000, 17);

  @TempDir Path directory;

  @Test
  void a_command_that_runs_again_writes_no_second_line() throws Exception {
    var path = directory.resolve("compliance.jsonl");
    var first = UUID.randomUUID();
    try (var file = ComplianceFile.open(path)) {
      assertEquals(1, file.append(first, LARGE));
      assertEquals(2, file.append(UUID.randomUUID(), LARGE));
      assertEquals(1, file.append(first, LARGE));
    }
    try (var afterRestart = ComplianceFile.open(path)) {
      assertEquals(1, afterRestart.append(first, LARGE));
    }
    assertEquals(2, Files.readAllLines(path).size());
  }

  @Test
  void two_banks_share_the_file() throws Exception {
    var path = directory.resolve("compliance.jsonl");
    var second = UUID.randomUUID();
    try (var here = ComplianceFile.open(path);
        var there = ComplianceFile.open(path)) {
      assertEquals(1, here.append(UUID.randomUUID(), LARGE));
      assertEquals(2, there.append(second, LARGE));
      assertEquals(2, here.append(second, LARGE));
      assertEquals(3, here.append(UUID.randomUUID(), LARGE));
    }
  }

  @Test
  void what_a_killed_bank_left_half_written_is_cut_off() throws Exception {
    var path = directory.resolve("compliance.jsonl");
    try (var file = ComplianceFile.open(path)) {
      file.append(UUID.randomUUID(), LARGE);
    }
    Files.writeString(path, "{\"commandId\":\"0197", APPEND);
    try (var afterRestart = ComplianceFile.open(path)) {
      assertEquals(2, afterRestart.append(UUID.randomUUID(), LARGE));
    }
    assertEquals(2, Files.readAllLines(path).size());
    assertTrue(Files.readString(path).endsWith("}\n"));
  }
}
