package io.evento.bundle.session;

import java.util.concurrent.CompletionStage;

/** Where a {@link FrameWriter} writes to; never called again before the last stage completed. */
interface Frames {
  CompletionStage<?> send(CharSequence frame);

  /** The last frame could not be sent: nothing more will be. */
  void broken(Throwable failure);
}
