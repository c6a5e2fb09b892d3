// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Instruction, SignedInstruction} from "../../src/interfaces/Types.sol";
import {Cheats} from "../support/Cheats.sol";
import {Market} from "../support/Market.sol";

/// @notice What transactions cost, cold: run with profile `gas`, where each call is a transaction.
/// @dev For tuning. The official figures are taken from the receipts of a node. Written to
/// build/gas.txt as one `name figure` a line.
contract GasTest is Market {
    string private constant FILE = "build/gas.txt";
    address[] private houses;

    function setUp() public override {
        super.setUp();
        for (uint256 k = 0; k < 10; ++k) {
            houses.push(admitted(string.concat("house ", vm.toString(k))));
            give(houses[k], BOND, 1_000_000);
            give(houses[k], EURO, 1_000_000);
            give(houses[k], DOLLAR, 1_000_000);
        }
        // A settled trade each, so that the word of small nonces is in use.
        for (uint256 k = 0; k < 10; ++k) {
            Instruction memory first = trade(houses[k], houses[(k + 1) % 10], 0);
            books.settle(first, signed(first));
        }
    }

    function trade(address from, address to, uint64 nonce)
        private
        pure
        returns (Instruction memory instruction)
    {
        instruction = terms(from, nonce, 2);
        instruction.tradeRef = keccak256(abi.encode("ref", from, to, nonce));
        instruction.terms = keccak256(abi.encode("terms", from, to, nonce));
        instruction.legs[0] = leg(BOND, from, to, 100);
        instruction.legs[1] = leg(EURO, to, from, 9950);
    }

    /// @dev What the last transaction paid for: used less refunded.
    function tell(string memory name) private returns (uint256 gasUsed) {
        gasUsed = paid();
        record(name, gasUsed);
    }

    function paid() private view returns (uint256) {
        Cheats.Gas memory gas = vm.lastCallGas();
        return gas.gasTotalUsed - uint256(uint64(gas.gasRefunded));
    }

    /// @dev Only where each call is a transaction of its own are the figures those of transactions.
    function isolated() private view returns (bool) {
        return keccak256(bytes(vm.envOr("FOUNDRY_PROFILE", string("")))) == keccak256("gas");
    }

    function record(string memory name, uint256 gasUsed) private {
        if (isolated()) vm.writeLine(FILE, string.concat(name, " ", vm.toString(gasUsed)));
    }

    function compact(Instruction memory instruction) private view returns (bytes[] memory list) {
        address[] memory accounts = accountsOf(instruction);
        bytes32 id = books.idOf(instruction);
        list = new bytes[](accounts.length);
        for (uint256 k = 0; k < list.length; ++k) {
            list[k] = compactSignatureOf(keyFor[accounts[k]], id);
        }
    }

    function test_dvp_signed() external {
        Instruction memory one = trade(houses[0], houses[1], 1);
        bytes[] memory signatures = signed(one);
        books.settle(one, signatures);
        uint256 gasUsed = tell("dvp_signed");
        if (isolated()) assertLe(gasUsed, 90_000, "what a trade may cost");
        one = trade(houses[0], houses[1], 2);
        signatures = compact(one);
        books.settle(one, signatures);
        tell("dvp_signed_compact");
    }

    function test_pvp_signed() external {
        Instruction memory one = trade(houses[0], houses[1], 1);
        one.legs[0].asset = DOLLAR;
        bytes[] memory signatures = signed(one);
        books.settle(one, signatures);
        tell("pvp_signed");
    }

    function test_three_party_signed() external {
        Instruction memory one = terms(houses[0], 1, 3);
        one.legs[0] = leg(BOND, houses[0], houses[1], 100);
        one.legs[1] = leg(EURO, houses[2], houses[0], 9950);
        one.legs[2] = leg(DOLLAR, houses[1], houses[2], 9900);
        bytes[] memory signatures = signed(one);
        books.settle(one, signatures);
        tell("three_party_signed");
    }

    function test_dvp_affirmed_total() external {
        Instruction memory one = trade(houses[0], houses[1], 1);
        bytes[] memory signatures = signed(one);
        books.affirm(one, signatures);
        uint256 total = tell("affirm_both");
        books.settle(one, nothing);
        total += tell("settle_affirmed");
        record("dvp_affirmed_total", total);
    }

    function test_dvp_affirmed_by_each_total() external {
        Instruction memory one = trade(houses[0], houses[1], 1);
        bytes[] memory none = new bytes[](2);
        vm.prank(houses[0]);
        books.affirm(one, none);
        uint256 total = tell("affirm_initiator");
        vm.prank(houses[1]);
        books.affirm(one, none);
        total += tell("affirm_second");
        books.settle(one, nothing);
        total += tell("settle_affirmed");
        record("dvp_affirmed_by_each_total", total);
    }

    function test_dvp_reserved_total() external {
        Instruction memory one = trade(houses[0], houses[1], 1);
        bytes[] memory signatures = signed(one);
        books.affirm(one, signatures);
        uint256 total = tell("affirm_both");
        for (uint256 k = 0; k < 2; ++k) {
            vm.prank(houses[k]);
            books.reserve(one, houses[k], true, "");
            total += tell("reserve");
        }
        books.settle(one, nothing);
        total += tell("settle_reserved");
        record("dvp_reserved_total", total);
    }

    function test_cancel() external {
        Instruction memory one = trade(houses[0], houses[1], 1);
        bytes[] memory signatures = new bytes[](1);
        signatures[0] = cancellationsOf(one)[0];
        books.cancel(one, CLOSES, signatures);
        tell("cancel");
        one = trade(houses[0], houses[1], 2);
        signatures[0] = "";
        vm.prank(houses[0]);
        books.cancel(one, CLOSES, signatures);
        tell("cancel_own_call");
    }

    function test_withdraw() external {
        Instruction memory one = trade(houses[0], houses[1], 1);
        bytes memory signature = signedAbout(WITHDRAWAL, houses[1], books.idOf(one));
        books.withdraw(one, houses[1], signature);
        tell("withdraw");
    }

    function test_settle_many() external {
        many(1);
        many(10);
        many(50);
        many(100);
        many(200);
    }

    function many(uint256 count) private {
        SignedInstruction[] memory requests = new SignedInstruction[](count);
        for (uint256 k = 0; k < count; ++k) {
            // Nonces from 1 on for each count; state is rolled back after each.
            Instruction memory one =
                trade(houses[k % 10], houses[(k % 10 + 1 + k / 10 % 9) % 10], uint64(1 + k / 10));
            requests[k] = SignedInstruction(one, signed(one));
        }
        uint256 before = vm.snapshotState();
        bytes4[] memory codes = books.settleMany(requests);
        uint256 gasUsed = paid();
        for (uint256 k = 0; k < count; ++k) {
            assertEq(bytes32(codes[k]), bytes32(0), "settled");
        }
        vm.revertToState(before);
        if (count == 100 && isolated()) assertLe(gasUsed / count, 36_000, "in a batch of 100");
        record(string.concat("settle_many_", vm.toString(count), "_per_trade"), gasUsed / count);
    }
}
