package io.daosmesh.model.fault;

import io.daosmesh.model.wire.FaultMessage;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * An expected refusal: code, what exactly, arguments for programs, remedy for people. Immutable.
 *
 * @param text one sentence in the words of the field; empty = the code's meaning
 * @param arguments e.g. {@code have=41 need=42 leader=10.0.0.1:10001}
 * @param remedy what the reader can do; never empty
 */
public record Fault(FaultCode code, String text, Map<String, String> arguments, String remedy) {
    public Fault {
        arguments = Map.copyOf(arguments);
        if (remedy.isEmpty()) remedy = code.remedy();
    }

    public static Fault of(FaultCode code) {
        return new Fault(code, "", Map.of(), "");
    }

    /** {@code text} is a {@link String#format} pattern when arguments follow. */
    public static Fault of(FaultCode code, String text, Object... args) {
        return new Fault(code, args.length == 0 ? text : String.format(Locale.ROOT, text, args), Map.of(), "");
    }

    public Fault with(String key, Object value) {
        Map<String, String> more = new TreeMap<>(arguments);
        more.put(key, String.valueOf(value));
        return new Fault(code, text, more, remedy);
    }

    public Fault remedy(String newRemedy) {
        return new Fault(code, text, arguments, newRemedy);
    }

    public Optional<String> argument(String key) {
        return Optional.ofNullable(arguments.get(key));
    }

    public FaultException asException() {
        return new FaultException(this);
    }

    /** {@code DER_NONEXIST(-1005): pool 'tank' does not exist}. */
    public String message() {
        StringBuilder b = new StringBuilder(code.label()).append(": ").append(text.isEmpty() ? code.meaning() : text);
        if (!arguments.isEmpty()) b.append(' ').append(new TreeMap<>(arguments));
        return b.toString();
    }

    @Override
    public String toString() {
        return message();
    }

    public FaultMessage toWire() {
        return FaultMessage.newBuilder()
                .setCode(code.number())
                .setText(text)
                .putAllArguments(arguments)
                .setRemedy(remedy)
                .build();
    }

    /** A code this release does not know becomes UNKNOWN and keeps its number as an argument. */
    public static Fault fromWire(FaultMessage m) {
        Optional<FaultCode> known = FaultCode.of(m.getCode());
        Fault f = new Fault(known.orElse(FaultCode.UNKNOWN), m.getText(), m.getArgumentsMap(), m.getRemedy());
        return known.isPresent() ? f : f.with("code", m.getCode());
    }
}
