// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAffirmation} from "../../src/interfaces/IAffirmation.sol";
import {ILedger} from "../../src/interfaces/ILedger.sol";
import {ISettlement} from "../../src/interfaces/ISettlement.sol";
import {Holding} from "../../src/interfaces/Types.sol";
import {Cheats} from "../support/Cheats.sol";
import {Test} from "../support/Test.sol";
import {Floor, Rebuilt} from "./Floor.sol";

/// @notice Law L8: holdings, supplies, ends and reservations, rebuilt from the events alone.
contract RebuildTest is Test, Rebuilt {
    Floor private floor;

    mapping(address account => mapping(uint32 asset => Holding)) private holdings;
    mapping(uint32 asset => uint256) private supplies;
    mapping(address account => mapping(uint64 nonce => uint8)) private ends;
    mapping(bytes32 id => uint16) private consents;
    mapping(bytes32 purpose => uint8) private reserved;

    /// @dev Every result that an event tells must be what the delta makes of the one before.
    function follow(
        address account,
        uint32 asset,
        int256 available,
        int256 held,
        Holding memory told
    ) private {
        Holding storage holding = holdings[account][asset];
        assertEq(int256(uint256(holding.available)) + available, int256(uint256(told.available)));
        assertEq(int256(uint256(holding.held)) + held, int256(uint256(told.held)));
        holdings[account][asset] = told;
    }

    function unpack(uint256 word) private pure returns (Holding memory) {
        return Holding({available: uint128(word), held: uint128(word >> 128)});
    }

    function fold(Cheats.Log memory log) private {
        bytes32 what = log.topics[0];
        if (what == ILedger.Issued.selector) return foldIssued(log);
        if (what == ILedger.Redeemed.selector) return foldRedeemed(log);
        if (what == ILedger.Posted.selector) return foldPosted(log);
        if (what == ILedger.HoldPlaced.selector) return foldHoldPlaced(log);
        if (what == ILedger.HoldEnded.selector) return foldHoldEnded(log);
        if (what == IAffirmation.InstructionAffirmed.selector) {
            (uint64 nonce, uint16 bits,) = abi.decode(log.data, (uint64, uint16, uint8));
            consents[log.topics[1]] = bits;
            ends[address(uint160(uint256(log.topics[2])))][nonce] = 3;
        }
        if (what == IAffirmation.ConsentWithdrawn.selector) {
            consents[log.topics[1]] = abi.decode(log.data, (uint16));
        }
        if (what == IAffirmation.InstructionCancelled.selector) {
            (uint64 nonce,) = abi.decode(log.data, (uint64, bool));
            ends[address(uint160(uint256(log.topics[2])))][nonce] = 2;
            consents[log.topics[1]] = 0;
        }
        if (what == ISettlement.InstructionSettled.selector) {
            ends[address(uint160(uint256(log.topics[2])))][abi.decode(log.data, (uint64))] = 1;
            consents[log.topics[1]] = 0;
        }
    }

    function foldIssued(Cheats.Log memory log) private {
        uint32 asset = uint32(uint256(log.topics[1]));
        address account = address(uint160(uint256(log.topics[2])));
        (uint128 quantity, Holding memory told, uint128 supply) =
            abi.decode(log.data, (uint128, Holding, uint128));
        follow(account, asset, int256(uint256(quantity)), 0, told);
        supplies[asset] += quantity;
        assertEq(supplies[asset], supply);
    }

    function foldRedeemed(Cheats.Log memory log) private {
        uint32 asset = uint32(uint256(log.topics[1]));
        address account = address(uint160(uint256(log.topics[2])));
        (uint64 nonce, uint128 quantity, Holding memory told, uint128 supply) =
            abi.decode(log.data, (uint64, uint128, Holding, uint128));
        follow(account, asset, -int256(uint256(quantity)), 0, told);
        supplies[asset] -= quantity;
        assertEq(supplies[asset], supply);
        ends[account][nonce] = 1;
    }

    function foldPosted(Cheats.Log memory log) private {
        uint32 asset = uint32(uint256(log.topics[2]));
        (address from, address to, uint128 quantity, uint256 left, uint256 got) =
            abi.decode(log.data, (address, address, uint128, uint256, uint256));
        follow(from, asset, -int256(uint256(quantity)), 0, unpack(left));
        follow(to, asset, int256(uint256(quantity)), 0, unpack(got));
    }

    function foldHoldPlaced(Cheats.Log memory log) private {
        (uint8 index,, address account, uint32 asset, uint128 quantity,, Holding memory told) =
            abi.decode(log.data, (uint8, address, address, uint32, uint128, uint64, Holding));
        int256 amount = int256(uint256(quantity));
        follow(account, asset, -amount, amount, told);
        reserved[log.topics[1]] |= uint8(1 << index);
    }

    function foldHoldEnded(Cheats.Log memory log) private {
        (uint8 index,, address account, uint32 asset, uint128 quantity,,, Holding memory told) =
            abi.decode(log.data, (uint8, address, address, uint32, uint128, uint64, bool, Holding));
        int256 amount = int256(uint256(quantity));
        follow(account, asset, amount, -amount, told);
        reserved[log.topics[1]] &= ~uint8(1 << index);
    }

    /// @dev Trap: a log that cannot rebuild state.
    /// forge-config: default.fuzz.runs = 48
    /// forge-config: ci.fuzz.runs = 48
    function testFuzz_rebuilds_the_books_from_the_events(uint256 seed) external {
        vm.recordLogs();
        floor = new Floor();
        bytes4[10] memory acts = [
            floor.propose.selector,
            floor.propose.selector,
            floor.settle.selector,
            floor.commit.selector,
            floor.reserve.selector,
            floor.release.selector,
            floor.withdraw.selector,
            floor.cancel.selector,
            floor.redeem.selector,
            floor.hold.selector
        ];
        for (uint256 k = 0; k < 60; ++k) {
            seed = uint256(keccak256(abi.encode(seed)));
            (bool success,) = address(floor).call(abi.encodeWithSelector(acts[seed % 10], seed));
            assertTrue(success);
        }
        Cheats.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 k = 0; k < logs.length; ++k) {
            if (logs[k].emitter == floor.market()) fold(logs[k]);
        }
        floor.compare(this);
    }

    // ---------------------------------------------------------------- what the floor asks

    function holdingOf(address account, uint32 asset) external view returns (Holding memory) {
        return holdings[account][asset];
    }

    function supplyOf(uint32 asset) external view returns (uint256) {
        return supplies[asset];
    }

    function endOf(address account, uint64 nonce) external view returns (uint8) {
        return ends[account][nonce];
    }

    function liveStateOf(bytes32 id) external view returns (uint16, uint8) {
        return (consents[id], reserved[id]);
    }
}
