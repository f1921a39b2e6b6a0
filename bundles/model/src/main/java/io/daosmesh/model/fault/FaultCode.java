package io.daosmesh.model.fault;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * DER numbers with their meaning, what a caller may do, and the remedy an operator reads. Stable, only appended.
 * Source: DAOS {@code daos_errno.h} as listed in the administration guide.
 */
public enum FaultCode {
    NO_PERM(1001, "Operation not permitted", Retry.NEVER, "use a certificate whose role may do this"),
    NO_HDL(1002, "Invalid handle", Retry.NEVER, "open the pool or container again"),
    INVAL(1003, "Invalid parameters", Retry.NEVER, "correct the named parameter"),
    EXIST(1004, "Entity already exists", Retry.NEVER, "choose another name, or use what is there"),
    NONEXIST(1005, "The specified entity does not exist", Retry.NEVER, "check the name"),
    UNREACH(
            1006,
            "Unreachable node",
            Retry.AFTER_MAP_REFRESH,
            "check that the node runs and its address and port are right"),
    NOSPACE(1007, "No space on storage target", Retry.NEVER, "delete data, or create the pool with more space"),
    ALREADY(1008, "Operation already performed", Retry.NEVER, "nothing has to be done"),
    NOMEM(1009, "Out of memory", Retry.LATER, "lower the load or give the node more memory"),
    NOSYS(1010, "Function not implemented", Retry.NEVER, "this is not built yet or this hardware cannot do it"),
    TIMEDOUT(1011, "Time out", Retry.AFTER_MAP_REFRESH, "check the node's health and load, then try again"),
    BUSY(1012, "Device or resource busy", Retry.LATER, "try again later"),
    AGAIN(1013, "Try again", Retry.LATER, "try again in a moment"),
    PROTO(1014, "Incompatible protocol", Retry.NEVER, "run the same release on both sides"),
    UNINIT(1015, "Not initialized", Retry.LATER, "wait until the node has started and its storage is formatted"),
    TRUNC(1016, "Buffer too short", Retry.NEVER, "give a larger buffer"),
    OVERFLOW(1017, "Data too long for defined data type or buffer size", Retry.NEVER, "send less at once"),
    CANCELED(1018, "Operation canceled", Retry.NEVER, "start it again if it is still wanted"),
    OOG(1019, "Out of group or member list", Retry.AFTER_MAP_REFRESH, "refresh the group map"),
    HG(1020, "Transport layer mercury error", Retry.AFTER_MAP_REFRESH, "check the network between the nodes"),
    UNREG(
            1021,
            "RPC or protocol version not registered",
            Retry.LATER,
            "wait for the service to start, or update the node"),
    MISC(1025, "Miscellaneous error", Retry.NEVER, "see the node's log"),
    BADPATH(1026, "Bad path name", Retry.NEVER, "check the path"),
    NOTDIR(1027, "Not a directory", Retry.NEVER, "check the path"),
    MISMATCH(1031, "Version mismatch", Retry.NEVER, "run the same release and system name on both sides"),
    EXCLUDED(1032, "Rank has been excluded", Retry.AFTER_MAP_REFRESH, "restart the rank, then reintegrate it"),
    GRPVER(1036, "Group membership version mismatch", Retry.AFTER_MAP_REFRESH, "refresh the group map"),
    HLC_SYNC(1037, "HLC synchronization error", Retry.LATER, "synchronise the clocks of the nodes (NTP)"),
    IO(2001, "Generic I/O error", Retry.NEVER, "see the node's log and the device's health"),
    STALE(2007, "Stale pool map version", Retry.AFTER_MAP_REFRESH, "refresh the pool map"),
    NOTLEADER(2008, "Not service leader", Retry.AT_HINT, "ask the leader"),
    TGT_CREATE(2009, "Target create error", Retry.NEVER, "see the log of the named rank"),
    EP_OLD(2011, "Epoch is too old", Retry.NEVER, "the outcome of the first try is unknown: read the value"),
    KEY2BIG(2012, "Key is too large", Retry.NEVER, "use a key of at most 4096 bytes"),
    REC2BIG(2013, "Record is too large", Retry.NEVER, "store the value in parts"),
    INPROGRESS(2018, "Operation now in progress", Retry.LATER, "try again in a moment"),
    NOTREPLICA(2020, "Not a service replica", Retry.AT_HINT, "ask a replica"),
    CSUM(2021, "Checksum error", Retry.OTHER_REPLICA, "the damaged copy is skipped; query the device's health"),
    DF_INVAL(
            2022,
            "Invalid durable format",
            Retry.NEVER,
            "the file is damaged: restore it, or format the storage again"),
    DF_INCOMPT(2023, "Incompatible durable format version", Retry.NEVER, "run the release that wrote it"),
    /** Never the same request again: what it was based on has changed. */
    TX_RESTART(
            2025, "Transaction should restart", Retry.NEVER, "read again and repeat the change on what is there now"),
    DATA_LOSS(2026, "Data lost or not recoverable", Retry.NEVER, "restart the excluded ranks and reintegrate them"),
    OP_CANCELED(2027, "Operation canceled", Retry.NEVER, "start it again"),
    RF(2031, "Failures exceed redundancy", Retry.NEVER, "restart failed ranks and reintegrate them"),
    AGENT_COMM(2034, "Agent communication error", Retry.LATER, "check that daos_agent runs on this machine"),
    ID_MISMATCH(2035, "Identifier mismatch", Retry.NEVER, "the storage belongs to another system or engine"),
    NOTSUPPORTED(2037, "Not supported", Retry.NEVER, "choose another option"),
    NO_SERVICE(2039, "No service available", Retry.LATER, "wait until a majority of the replicas runs"),
    NVME_IO(2042, "NVMe I/O error", Retry.OTHER_REPLICA, "query the device's health and replace it if it is faulty"),
    NO_CERT(2043, "Certificate not accessible", Retry.NEVER, "check path and permissions of the certificate"),
    BAD_CERT(2044, "Bad certificate", Retry.NEVER, "make new certificates with daos-certs"),
    UNKNOWN(501000, "Unknown error", Retry.NEVER, "see the node's log");

    /** What a caller may do about it. */
    public enum Retry {
        NEVER,
        /** The same request to the same place after a pause. */
        LATER,
        /** After fetching a newer map; the same DTX id keeps it safe. */
        AFTER_MAP_REFRESH,
        /** At the place the fault's {@code leader} argument names. */
        AT_HINT,
        /** At another replica of the same group. */
        OTHER_REPLICA
    }

    private static final Map<Integer, FaultCode> BY_NUMBER =
            Arrays.stream(values()).collect(Collectors.toUnmodifiableMap(FaultCode::number, Function.identity()));

    private final int number;
    private final String meaning;
    private final Retry retry;
    private final String remedy;

    FaultCode(int number, String meaning, Retry retry, String remedy) {
        this.number = number;
        this.meaning = meaning;
        this.retry = retry;
        this.remedy = remedy;
    }

    /** Positive DER number; shown and returned negative. */
    public int number() {
        return number;
    }

    public String meaning() {
        return meaning;
    }

    public Retry retry() {
        return retry;
    }

    public String remedy() {
        return remedy;
    }

    /** {@code DER_NONEXIST(-1005)}. */
    public String label() {
        return "DER_" + name() + "(-" + number + ")";
    }

    /** NOSPACE for what a system call says of a full file system or a used up quota, else IO. */
    public static FaultCode ofMedium(String text) {
        return text.contains("No space left") || text.contains("quota exceeded") ? NOSPACE : IO;
    }

    /** Accepts the number with either sign. */
    public static Optional<FaultCode> of(int number) {
        return Optional.ofNullable(BY_NUMBER.get(Math.abs(number)));
    }
}
