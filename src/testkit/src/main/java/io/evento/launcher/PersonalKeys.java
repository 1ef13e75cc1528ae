package io.evento.launcher;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;

/**
 * The key that the nodes of one machine wrap the keys of personal data by: a file beside the nodes'
 * own, made with the first of them, which nobody else may read. It stays as long as the database.
 */
public final class PersonalKeys {
  private static final String NAME = "personal-master-key";
  private static final int KEY_BYTES = 32;
  private static final SecureRandom RANDOM = new SecureRandom();

  private PersonalKeys() {}

  /**
   * Tells a node where the key is.
   *
   * @param directory of the node's own files, beside those of the others
   */
  public static Map<String, String> with(Map<String, String> environment, Path directory) {
    var all = new HashMap<>(environment);
    all.put("EVENTO_PERSONAL_MASTER_KEY_FILE", file(directory).toString());
    return all;
  }

  private static Path file(Path directory) {
    var file = directory.toAbsolutePath().resolveSibling(NAME);
    var key = new byte[KEY_BYTES];
    RANDOM.nextBytes(key);
    try {
      Files.createDirectories(file.resolveSibling("."));
      var ours = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
      Files.createFile(file, ours);
      Files.writeString(file, Base64.getEncoder().encodeToString(key) + "\n");
    } catch (FileAlreadyExistsException known) {
      return file;
    } catch (IOException failure) {
      throw new UncheckedIOException("the key of personal data is not made", failure);
    }
    return file;
  }
}
