package io.daosmesh.model.fault;

/** Carries a {@link Fault} through Mono and Flux; has no stack trace because a fault is expected. */
public final class FaultException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Fault fault;

    public FaultException(Fault fault) {
        super(fault.message(), null, false, false);
        this.fault = fault;
    }

    public Fault fault() {
        return fault;
    }

    public FaultCode code() {
        return fault.code();
    }

    /** The fault behind any error; unexpected ones become MISC with the error's own text. */
    public static Fault faultOf(Throwable error) {
        for (Throwable t = error; t != null; t = t.getCause()) {
            if (t instanceof FaultException f) return f.fault();
            if (t instanceof java.util.concurrent.TimeoutException)
                return Fault.of(FaultCode.TIMEDOUT, "no answer in time");
        }
        String text = error.getMessage() == null ? error.getClass().getSimpleName() : error.getMessage();
        return Fault.of(FaultCode.MISC, text);
    }
}
