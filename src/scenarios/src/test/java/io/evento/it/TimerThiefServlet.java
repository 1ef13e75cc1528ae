package io.evento.it;

import jakarta.ejb.EJB;
import jakarta.servlet.annotation.WebServlet;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** Has the {@link TimerThief} at work when asked, and says how many timers it took. */
@WebServlet("/thief")
@SuppressWarnings({"NullAway.Init", "serial"}) // filled by the container
public class TimerThiefServlet extends HttpServlet {
  @EJB private TimerThief thief;

  @Override
  protected void doGet(HttpServletRequest asked, HttpServletResponse answer) throws IOException {
    answer.getWriter().print(thief.steal());
  }
}
