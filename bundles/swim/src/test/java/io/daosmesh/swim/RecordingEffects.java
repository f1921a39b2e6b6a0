package io.daosmesh.swim;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** Writes every effect down as one short line. */
final class RecordingEffects implements SwimEffects {
    private final List<String> lines = new ArrayList<>();
    private final Map<Integer, Long> answering = new HashMap<>();
    private final List<Consumer<Answers>> answers = new ArrayList<>();
    long hlc = 100;

    /** What happened since the last call. */
    List<String> take() {
        List<String> taken = List.copyOf(lines);
        lines.clear();
        return taken;
    }

    /** How a living member answers. */
    interface Answers {
        void ack(SwimMessage message);

        void nack(SwimMessage message);
    }

    /** From now on the rank answers pings, and nacks what it is asked about others. */
    void letAnswer(int rank, long incarnation) {
        answering.put(rank, incarnation);
    }

    void letFallSilent(int rank) {
        answering.remove(rank);
    }

    /** Hands the answers to what was sent since the last call to {@code to}. */
    void deliver(Answers to) {
        List<Consumer<Answers>> taken = List.copyOf(answers);
        answers.clear();
        taken.forEach(answer -> answer.accept(to));
    }

    @Override
    public void sendPing(int toRank, SwimMessage message) {
        Long incarnation = answering.get(toRank);
        if (incarnation != null) {
            answers.add(to -> to.ack(
                    new SwimMessage(toRank, incarnation, message.sequence(), message.target(), false, List.of())));
        }
        lines.add("ping r" + toRank + text(message));
    }

    @Override
    public void sendPingReq(int toRank, SwimMessage message) {
        Long incarnation = answering.get(toRank);
        if (incarnation != null) {
            answers.add(to -> to.nack(
                    new SwimMessage(toRank, incarnation, message.sequence(), message.target(), false, List.of())));
        }
        lines.add("ping-req r" + toRank + " about r" + message.target() + text(message));
    }

    @Override
    public void sendAck(int toRank, SwimMessage message) {
        lines.add("ack r" + toRank + " about r" + message.target() + text(message));
    }

    @Override
    public void sendNack(int toRank, SwimMessage message) {
        lines.add("nack r" + toRank + " about r" + message.target() + text(message));
    }

    @Override
    public void onAlive(int rank, long incarnation, String reason) {
        lines.add("ALIVE r" + rank + "@" + incarnation + " (" + reason + ")");
    }

    @Override
    public void onSuspect(int rank, long incarnation, String reason) {
        lines.add("SUSPECT r" + rank + "@" + incarnation + " (" + reason + ")");
    }

    @Override
    public void onDead(int rank, long incarnation, String reason) {
        lines.add("DEAD r" + rank + "@" + incarnation + " (" + reason + ")");
    }

    @Override
    public void onRestarting(int rank, long incarnation, long forNs) {
        lines.add("RESTARTING r" + rank + "@" + incarnation + " for " + forNs / 1_000_000 + "ms");
    }

    @Override
    public void onSelfAccused(MemberState accusation, long newIncarnation) {
        lines.add("refuted " + accusation + " with @" + newIncarnation);
    }

    @Override
    public long newIncarnation() {
        return ++hlc;
    }

    private static String text(SwimMessage message) {
        String updates = message.updates().stream().map(RecordingEffects::text).collect(Collectors.joining(" "));
        return " seq=" + message.sequence()
                + (message.refused() ? " refused" : "")
                + (updates.isEmpty() ? "" : " [" + updates + "]");
    }

    private static String text(SwimUpdate update) {
        String accusers = update.accusers().stream().map(String::valueOf).collect(Collectors.joining(","));
        return "r" + update.rank() + ":" + update.state() + "@" + update.incarnation()
                + (accusers.isEmpty() ? "" : "/" + accusers)
                + (update.restartForNs() == 0 ? "" : "/" + update.restartForNs() / 1_000_000 + "ms");
    }
}
