"""Reference data, people and their roles, applications, standing, the committee's seats, appeals."""

from anze.parties.actions.people import (
    Post,
    change_person,
    create_person,
    end_role,
    give_role,
    one_time_password,
    remove_second_factor,
    reset_password,
    switch_person,
)
from anze.parties.actions.reference import load_calendar_file, load_reference_data

__all__ = [
    "Post",
    "change_person",
    "create_person",
    "end_role",
    "give_role",
    "load_calendar_file",
    "load_reference_data",
    "one_time_password",
    "remove_second_factor",
    "reset_password",
    "switch_person",
]
