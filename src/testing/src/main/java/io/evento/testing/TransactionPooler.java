package io.evento.testing;

import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.LinkedBlockingDeque;
import org.jspecify.annotations.Nullable;

/**
 * A connection pooler before a PostgreSQL that trusts: hands a backend to whoever begins a
 * transaction and takes it back at its end, the warmest one first. In session mode a client keeps
 * the backend that it was given first. As real ones do, it lets clients in by itself.
 */
public final class TransactionPooler implements AutoCloseable {
  private static final int SSL_REQUEST = 80877103;
  private static final int GSS_REQUEST = 80877104;
  private static final int VERSION_3 = 196608;

  private final ServerSocket door;
  private final int target;
  private final String user;
  private final String database;
  private final boolean isSessionMode;
  private final LinkedBlockingDeque<Pipe> idle = new LinkedBlockingDeque<>();

  /** One side's streams. */
  private record Pipe(Socket socket, DataInputStream in, DataOutputStream out) {
    static Pipe on(Socket socket) throws IOException {
      socket.setTcpNoDelay(true);
      return new Pipe(
          socket,
          new DataInputStream(socket.getInputStream()),
          new DataOutputStream(new BufferedOutputStream(socket.getOutputStream())));
    }

    Frame read() throws IOException {
      var type = in.readByte();
      return new Frame((char) type, in.readNBytes(in.readInt() - 4));
    }

    void write(Frame frame) throws IOException {
      out.writeByte(frame.type());
      out.writeInt(frame.body().length + 4);
      out.write(frame.body());
    }
  }

  private record Frame(char type, byte[] body) {
    boolean endsTransaction() {
      return type == 'Z' && body[0] == 'I';
    }
  }

  private TransactionPooler(
      ServerSocket door, int target, String user, String database, boolean isSessionMode) {
    this.door = door;
    this.target = target;
    this.user = user;
    this.database = database;
    this.isSessionMode = isSessionMode;
  }

  /** In transaction mode, for the nodes' role. */
  public static TransactionPooler before(TestDatabase database) {
    return open(database, false);
  }

  /** In session mode, for the nodes' role. */
  public static TransactionPooler ofSessions(TestDatabase database) {
    return open(database, true);
  }

  private static TransactionPooler open(TestDatabase database, boolean isSessionMode) {
    try {
      var pooler =
          new TransactionPooler(
              new ServerSocket(0, 50, InetAddress.getLoopbackAddress()),
              database.port(),
              PostgresFixture.SERVER,
              database.name(),
              isSessionMode);
      start(pooler::accept);
      return pooler;
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
  }

  public int port() {
    return door.getLocalPort();
  }

  private void accept() {
    while (!door.isClosed()) {
      try {
        var client = Pipe.on(door.accept());
        start(() -> serve(client));
      } catch (IOException closed) {
        continue;
      }
    }
  }

  private void serve(Pipe client) {
    @Nullable Pipe mine = null;
    try (var socket = client.socket()) {
      letIn(client);
      while (!socket.isClosed()) {
        // Not before there is something to do: an idle client holds nothing.
        var asked = client.read();
        if (asked.type() == 'X') {
          return;
        }
        if (mine == null) {
          mine = backend();
        }
        mine.write(asked);
        if (asked.type() == 'Q' || asked.type() == 'S') {
          mine.out().flush();
          var said = mine.read();
          while (said.type() != 'Z') {
            client.write(said);
            said = mine.read();
          }
          client.write(said);
          if (said.endsTransaction() && !isSessionMode) {
            idle.push(mine);
            mine = null;
          }
          client.out().flush();
        }
      }
    } catch (IOException clientGone) {
      return;
    } finally {
      close(mine);
    }
  }

  private static void letIn(Pipe client) throws IOException {
    var length = client.in().readInt();
    var code = client.in().readInt();
    while (code == SSL_REQUEST || code == GSS_REQUEST) {
      client.out().writeByte('N');
      client.out().flush();
      length = client.in().readInt();
      code = client.in().readInt();
    }
    client.in().readNBytes(length - 8);
    var out = client.out();
    out.writeByte('R');
    out.writeInt(8);
    out.writeInt(0);
    for (var parameter :
        new String[] {
          "server_version\0" + "17.0\0",
          "client_encoding\0" + "UTF8\0",
          "DateStyle\0" + "ISO, MDY\0",
          "TimeZone\0" + "UTC\0",
          "integer_datetimes\0" + "on\0",
          "standard_conforming_strings\0" + "on\0"
        }) {
      out.writeByte('S');
      out.writeInt(4 + parameter.length());
      out.write(parameter.getBytes(StandardCharsets.US_ASCII));
    }
    out.writeByte('K');
    out.writeInt(12);
    out.writeInt(Integer.MAX_VALUE); // it has no backend yet whose number it could tell
    out.writeInt(0);
    out.writeByte('Z');
    out.writeInt(5);
    out.writeByte('I');
    out.flush();
  }

  private Pipe backend() throws IOException {
    var warm = idle.poll();
    if (warm != null) {
      return warm;
    }
    var server = Pipe.on(new Socket(InetAddress.getLoopbackAddress(), target));
    var login = "user\0" + user + "\0database\0" + database + "\0\0";
    server.out().writeInt(8 + login.length());
    server.out().writeInt(VERSION_3);
    server.out().write(login.getBytes(StandardCharsets.US_ASCII));
    server.out().flush();
    char said;
    do {
      said = (char) server.in().readByte();
      server.in().readNBytes(server.in().readInt() - 4);
    } while (said != 'Z');
    return server;
  }

  private static void close(@Nullable Pipe pipe) {
    if (pipe != null) {
      try {
        pipe.socket().close();
      } catch (IOException failure) {
        throw new UncheckedIOException(failure);
      }
    }
  }

  private static void start(Runnable body) {
    var thread = new Thread(body, "pooler");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() {
    try {
      door.close();
    } catch (IOException failure) {
      throw new UncheckedIOException(failure);
    }
    idle.forEach(TransactionPooler::close);
  }
}
