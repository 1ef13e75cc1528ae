package io.evento.bundle.session;

import io.evento.protocol.FrameWriter;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** What carries a session, as its writer sees it. */
final class CarrierPort implements FrameWriter.Port {
  private final Supplier<@Nullable Carrier> carrier;
  private final Consumer<Throwable> broken;

  /**
   * @param carrier null before it is connected: nothing can be sent then
   * @param broken called once when a frame could not be sent
   */
  CarrierPort(Supplier<@Nullable Carrier> carrier, Consumer<Throwable> broken) {
    this.carrier = carrier;
    this.broken = broken;
  }

  @Override
  public CompletionStage<?> send(String frame) {
    var open = carrier.get();
    if (open == null) {
      throw new IllegalStateException("not connected");
    }
    return open.send(frame);
  }

  @Override
  public void broken(Throwable failure) {
    broken.accept(failure);
  }
}
