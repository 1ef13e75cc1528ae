package io.evento.it;

import jakarta.annotation.Resource;
import jakarta.ejb.Singleton;
import jakarta.ejb.Timer;
import jakarta.ejb.TimerService;

/** Cancels all timers of the application that it is put into. */
@Singleton
@SuppressWarnings("NullAway.Init") // filled by the container
public class TimerThief {
  @Resource private TimerService timers;

  public int steal() {
    var all = timers.getAllTimers();
    all.forEach(Timer::cancel);
    return all.size();
  }
}
